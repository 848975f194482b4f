package record_test

import (
	"strings"
	"testing"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/store/internal/record"
)

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change niobot.Change
		want   string // in the error; empty for none
	}{
		{"put", niobot.Put("state", "k", nil), ""},
		{"empty value", niobot.Put("state", "k", []byte{}), ""},
		{"longest key", niobot.Put("s", strings.Repeat("k", niobot.MaxStoreKey), nil), ""},
		{"longest name", niobot.Delete(niobot.Table(strings.Repeat("a", 64)), "k"), ""},
		{"whole table", niobot.DeleteAll("a_1", ""), ""},
		{"no table", niobot.Put("", "k", nil), "has no name"},
		{"long name", niobot.Delete(niobot.Table(strings.Repeat("a", 65)), "k"), "65 bytes"},
		{"upper case", niobot.Delete("State", "k"), `"State"`},
		{"quote", niobot.Delete(`a"b`, "k"), "lower-case"},
		{"no key", niobot.Put("state", "", nil), "key is empty"},
		{"delete no key", niobot.Delete("state", ""), "key is empty"},
		{"long key", niobot.Delete("s", strings.Repeat("k", niobot.MaxStoreKey+1)), "1025 bytes"},
		{"long value", niobot.Put("s", "k", make([]byte, niobot.MaxStoreValue+1)), "the value has"},
		{"value for a prefix", niobot.Change{Table: "s", Key: "k", Value: []byte{}, Prefix: true}, "under one key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := record.Check([]niobot.Change{niobot.Put("t", "k", nil), tt.change})
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "change 1: ") {
				t.Errorf("got %v, want it to speak of change 1 and %q", err, tt.want)
			}
		})
	}
}

func TestEndIsTheFirstKeyAfterThePrefix(t *testing.T) {
	for _, tt := range []struct {
		prefix, end string
		ok          bool
	}{
		{"", "", false},
		{"a", "b", true},
		{"ab", "ac", true},
		{"a\xff", "b", true},
		{"a\x00", "a\x01", true},
		{"\xff\xff", "", false},
		{"\x7f", "\x80", true}, // A byte, not a rune of two
	} {
		if end, ok := record.End(tt.prefix); end != tt.end || ok != tt.ok {
			t.Errorf("End(%q) = %q, %v; want %q, %v", tt.prefix, end, ok, tt.end, tt.ok)
		}
	}
}

func TestNothingIsBetweenAKeyAndAfter(t *testing.T) {
	if after := record.After("a"); after <= "a" || after > "a\x00" {
		t.Errorf("After(a) = %q", after)
	}
}
