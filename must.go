package niobot

// Must returns what was made, such as the bot of [New] or the store of sqlite.Open, and panics where there is an error. It
// is for programs that can do nothing without.
func Must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}
