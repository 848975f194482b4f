package record

import "github.com/niobot/niobot"

// What helps, said alike by all stores.
const (
	OwnerCure     = "give each account and device a store of its own, or log in as before"
	UnclaimedCure = "claim it first"
	InUseCure     = "stop the other process, or start this one with WithStandby"
	NewerCure     = "use the newer version, or a backup of the store from before"
)

// OwnerError is [niobot.ErrStoreOwner] together with whose the store is.
type OwnerError struct {
	Is   niobot.Account // Whose it is
	Want niobot.Account // Who has claimed it
}

// Error implements error.
func (e *OwnerError) Error() string {
	return niobot.ErrStoreOwner.Error() + ": it is that of " + e.Is.String() + ", not of " + e.Want.String()
}

// Unwrap is [niobot.ErrStoreOwner].
func (e *OwnerError) Unwrap() error { return niobot.ErrStoreOwner }
