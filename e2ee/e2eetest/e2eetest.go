// Package e2eetest gives bots and users encryption in tests on package niobottest:
//
//	bot, err := niobot.New(cfg, e2eetest.Bot(t)...)
//	...
//	hs := niobottest.Start(t, bot, niobottest.Encrypted(e2eetest.Device))
//
// It is package e2ee on SQLite in temporary folders, so tests need the tag goolm.
package e2eetest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/e2ee"
	"github.com/niobot/niobot/store/sqlite"
)

// Bot is what [niobot.New] needs for a bot with encryption: an encryption, and a store that ends with the test. The
// recovery key is dropped, where opts do not take it.
func Bot(t testing.TB, opts ...e2ee.Option) []niobot.Option {
	t.Helper()
	return Restarts(t, opts...)()
}

// Restarts is [Bot] for bots that follow one another on one account, as by niobottest.Server.Resume: each call of the
// returned function is for the next one, with the same store.
func Restarts(t testing.TB, opts ...e2ee.Option) func() []niobot.Option {
	t.Helper()
	db := open(t, "bot")
	return func() []niobot.Option {
		return []niobot.Option{niobot.WithStore(db), niobot.WithEncryption(encryption(db, opts))}
	}
}

// Device is a user's device, for niobottest.Encrypted.
func Device(t testing.TB, localpart string) (niobot.Encryption, niobot.Store) {
	t.Helper()
	db := open(t, localpart)
	return encryption(db, nil), db
}

func encryption(db *sqlite.Store, opts []e2ee.Option) *e2ee.Encryption {
	dropKey := e2ee.OnRecoveryKey(func(context.Context, string) error { return nil })
	return e2ee.New(db, append([]e2ee.Option{dropKey}, opts...)...)
}

func open(t testing.TB, name string) *sqlite.Store {
	t.Helper()
	db, err := sqlite.Open(filepath.Join(t.TempDir(), name+".db"))
	if err != nil {
		t.Fatalf("e2eetest: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("e2eetest: %v", err)
		}
	})
	return db
}
