// Package record holds what the stores do alike with changes and keys.
package record

import (
	"errors"
	"fmt"

	"github.com/niobot/niobot"
)

// maxTableName is how long the name of a table may be, in bytes.
const maxTableName = 64

// Check is what is wrong with changes by the contract of [niobot.Store], or nil.
func Check(changes []niobot.Change) error {
	for i := range changes {
		if err := check(&changes[i]); err != nil {
			return fmt.Errorf("change %d: %w", i, err)
		}
	}
	return nil
}

func check(c *niobot.Change) error {
	if err := CheckTable(c.Table); err != nil {
		return err
	}
	switch {
	case c.Key == "" && !c.Prefix:
		return fmt.Errorf("table %s: the key is empty", c.Table)
	case len(c.Key) > niobot.MaxStoreKey:
		return fmt.Errorf("table %s: the key has %d bytes, at most %d are allowed", c.Table, len(c.Key), niobot.MaxStoreKey)
	case len(c.Value) > niobot.MaxStoreValue:
		return fmt.Errorf(
			"table %s: the value has %d bytes, at most %d are allowed", c.Table, len(c.Value), niobot.MaxStoreValue)
	case c.Prefix && c.Value != nil:
		return fmt.Errorf("table %s: a value is stored under one key, not under a prefix", c.Table)
	}
	return nil
}

// CheckTable is what is wrong with the name of a table, or nil.
func CheckTable(table niobot.Table) error {
	if table == "" {
		return errors.New("the table has no name")
	}
	if len(table) > maxTableName {
		return fmt.Errorf("the table's name has %d bytes, at most %d are allowed", len(table), maxTableName)
	}
	for i := range len(table) {
		switch c := table[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_':
		default:
			return fmt.Errorf("table %q: its name may hold lower-case letters, digits and underscores only", table)
		}
	}
	return nil
}

// IsPut reports whether the change stores a value.
func IsPut(c *niobot.Change) bool { return !c.Prefix && c.Value != nil }

// End is the first key after all that begin with prefix, for a range that is open at its end. Where there is none, since
// all bytes of the prefix are 0xff or it is empty, ok is false.
func End(prefix string) (end string, ok bool) {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1}), true
		}
	}
	return "", false
}

// After is the first key after the given one.
func After(key string) string { return key + "\x00" }
