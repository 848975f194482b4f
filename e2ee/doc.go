// Package e2ee lets a bot read and write encrypted rooms. It is pure Go, and is built with the tag goolm:
//
//	go build -tags goolm
//
// Without the tag the package is there as well, so that a program compiles, but [Encryption.Start] says how to build.
//
//	db, err := sqlite.Open("bot.db")
//	...
//	bot, err := niobot.New(cfg, niobot.WithStore(db),
//		niobot.WithEncryption(e2ee.New(db, e2ee.RecoveryKeyFile("recovery.key"))))
//
// The first start makes the bot's cross-signing identity, signs its device, puts the secrets into server-side storage
// under a recovery key, and begins a key backup. The recovery key goes into the file, which is for its user only; keep
// a copy elsewhere. Whoever has it can read what the bot could read, and act as the bot. With it, a bot whose store is
// lost, or that logs in anew, signs its new device and reads the old messages again.
//
// Each step of the first start may be cut short, and the next start goes on from there.
//
// # What is kept where
//
// Keys are in the database of the bot's store, beside its own tables. They are encrypted under a key that is in the
// store too: that guards against nobody who has the store, which is why its file is for its user only. Where the
// database is not the bot's alone, as on a shared PostgreSQL, [PickleKey] keeps that key out of it.
//
// # Trust
//
// A device is cross-signed where its user's own identity has signed it, and verified where, beyond that, the bot has
// verified the user. [ShareWith] says whose devices get the keys of what the bot writes; the checks [Encrypted],
// [CrossSigned] and [Verified] say whose commands count.
package e2ee
