// Package e2e runs scenarios against real homeservers: an in-process fake, Dendrite started as a subprocess, or a
// server of your own. It holds tests only, behind the build tag e2e:
//
//	go test -tags e2e,goolm ./e2e/...
//
// Dendrite is built by the go command from dendrite.mod, which keeps its dependencies out of niobot's go.mod. To use
// another server instead, set NIOBOT_E2E_HOMESERVER to its base URL and NIOBOT_E2E_REGISTRATION_SECRET to its secret
// for registration (Synapse and Dendrite both call it registration_shared_secret). NIOBOT_E2E_VERIFICATIONS sets how
// often two bots verify each other in each of four ways.
//
// A scenario is a function of a test and a Homeserver. It makes its own users and rooms, so that all of them run side
// by side on one server. Each runs against every homeserver with the same assertions, so what the fake promises in unit
// tests is what a real server does.
package e2e
