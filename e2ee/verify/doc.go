// Package verify lets people verify the bot, and the bot people: by comparing emoji or numbers (SAS), or by QR code,
// with to-device messages or in a room, started by either side (spec: Client-Server API, "Key verification framework").
//
// An [Engine] holds the open verifications, each a [Session]. It is a state machine: it starts no goroutine, sends
// through a [Transport], asks and trusts through [Keys], and tells a [Hook] what happens. What comes from the other
// side goes into [Engine.Handle]; [Engine.Run] ends what takes too long.
//
// No key is trusted before a person has confirmed, here and with the keys proven by the other side, unless
// [Policy.AutoConfirm] says otherwise. Whatever is wrong with what comes cancels the verification and trusts nothing.
//
// Of the algorithms, the current ones are spoken: curve25519-hkdf-sha256, sha256, hkdf-hmac-sha256.v2. The deprecated
// ones, which the spec asks not to use, are answered with m.unknown_method.
package verify
