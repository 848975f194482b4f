package verify

// State is what a verification is at.
type State int

const (
	// StateRequested waits for the one who was asked to accept: the other side, or this one by [Session.Accept].
	StateRequested State = iota

	// StateReady waits for either side to choose a way: [Session.StartSAS], [Session.Scan], or the other side scans
	// the [Session.QR].
	StateReady

	// StateExchanging waits for the keys of SAS.
	StateExchanging

	// StateComparing has [Session.Emoji] and [Session.Decimals] to show, and waits for [Session.Confirm] or
	// [Session.Mismatch].
	StateComparing

	// StateScanned means that the other side has scanned the QR code. It waits for [Session.Confirm], by one who sees
	// that the other device says so.
	StateScanned

	// StateWaiting has been confirmed on this side, and waits for the other.
	StateWaiting

	// StateDone has proven the keys, and they are trusted.
	StateDone

	// StateCancelled has ended without trust, for the reason that [Session.Err] gives.
	StateCancelled
)

var stateNames = [...]string{
	"requested", "ready", "exchanging", "comparing", "scanned", "waiting", "done", "cancelled",
}

// String gives the state's name in lower case.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "unknown"
	}
	return stateNames[s]
}

func (s State) over() bool { return s == StateDone || s == StateCancelled }
