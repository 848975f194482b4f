package syncjson

import "errors"

// The limits on what a homeserver may send.
const (
	// MaxEventBytes is the longest event, in bytes of JSON. Longer ones are skipped. Homeservers refuse events above
	// 64 KiB, but account data and what a server adds under "unsigned" may be longer.
	MaxEventBytes = 1 << 20

	// MaxDepth is how deep an event may nest objects and arrays, itself included. Deeper ones are skipped, however deep.
	MaxDepth = 100

	// MaxSectionEvents is how many events one part of one room may hold, such as its timeline. Those behind are skipped.
	MaxSectionEvents = 1 << 17

	// MaxTokenBytes is the longest single string, run of space, or part outside rooms that is kept whole. A longer one
	// ends the decoding with ErrTokenTooLong.
	MaxTokenBytes = 16 << 20

	// MaxResponseBytes is the longest response. A longer one is cut off with ErrResponseTooLarge.
	MaxResponseBytes = 1 << 30

	// maxIDBytes is the longest identifier (appendices, "Common identifier format").
	maxIDBytes = 255

	// keptBytes is how much of a buffer outlives a sync.
	keptBytes = 1 << 20
)

// The conditions that end Decode, beside broken JSON, a stream that is cut, and the errors of reader and Handler.
var (
	// ErrNotObject is the error for a response that is JSON, but no object.
	ErrNotObject = errors.New("sync response is not an object")

	// ErrNoNextBatch is the error for a response without a usable next_batch. All else has been handed over.
	ErrNoNextBatch = errors.New("sync response has no next_batch")

	// ErrTokenTooLong is the error for a string longer than MaxTokenBytes.
	ErrTokenTooLong = errors.New("sync response holds a token above the limit")

	// ErrResponseTooLarge is the error for a response longer than MaxResponseBytes.
	ErrResponseTooLarge = errors.New("sync response is above the limit")
)

// limits are the constants above, smaller in tests.
type limits struct {
	event, depth, section int
	token, response       int64
}

func defaultLimits() limits {
	return limits{MaxEventBytes, MaxDepth, MaxSectionEvents, MaxTokenBytes, MaxResponseBytes}
}
