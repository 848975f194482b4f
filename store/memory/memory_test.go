package memory_test

import (
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/memory"
	"github.com/niobot/niobot/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Subject {
		s := memory.New()
		return storetest.Subject{Open: func(testing.TB) niobot.Store { return s }}
	})
}

func TestItSaysThatItForgets(t *testing.T) {
	var s niobot.Store = memory.New()
	if v, ok := s.(interface{ Volatile() bool }); !ok || !v.Volatile() {
		t.Error("Volatile does not report true")
	}
}
