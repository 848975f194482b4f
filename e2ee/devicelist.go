//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

const (
	queryChunk   = 250                 // Users a request
	queryTimeout = 10 * time.Second    // For other servers
	queryRetry   = time.Minute         // Before a user whose server did not answer is asked about again
	maxDevices   = 1000                // Devices of one user that are looked at
	maxListed    = 20_000              // Devices whose lists are kept in memory
	maxAttempts  = 10_000              // Users whose last attempt is remembered
	sharedAge    = 30 * 24 * time.Hour // For how long who was given a session's key gets it again
)

// deviceList follows the devices and cross-signing keys of users. A user is tracked once their devices were asked for;
// when the server says that they changed, they are outdated until they were asked for again. That is noted in the
// database before anything else, so that no crash and no failed request leaves a list behind that is taken for whole.
type deviceList struct {
	g        *engine
	fetching chan struct{} // Holds one token while a request is under way
	woken    chan struct{}

	mu        sync.Mutex
	changes   uint64                   // Counts changes
	outdated  map[id.UserID]uint64     // The count at the latest change
	attempted map[id.UserID]time.Time  // Of users whose devices were asked for in vain
	trust     map[trustKey]trusted     // Resolved trust
	devices   map[deviceKey]*id.Device // Devices by their identity keys
	lists     map[id.UserID]userDevices
	inLists   int // Devices in lists
}

// userDevices are the devices of a user, which nobody changes in place.
type userDevices map[id.DeviceID]*id.Device

type deviceKey struct {
	user id.UserID
	key  id.IdentityKey
}

func newDeviceList(g *engine) *deviceList {
	return &deviceList{
		g:         g,
		fetching:  make(chan struct{}, 1),
		woken:     make(chan struct{}, 1),
		outdated:  make(map[id.UserID]uint64),
		attempted: make(map[id.UserID]time.Time),
		trust:     make(map[trustKey]trusted),
		devices:   make(map[deviceKey]*id.Device),
		lists:     make(map[id.UserID]userDevices),
	}
}

// load reads who is outdated from an earlier run.
func (l *deviceList) load(ctx context.Context) error {
	users, err := l.g.store.GetOutdatedTrackedUsers(ctx)
	if err != nil {
		return fmt.Errorf("read whose devices are outdated: %w", err)
	}
	l.mark(users)
	return nil
}

func (l *deviceList) mark(users []id.UserID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, user := range users {
		l.changes++
		l.outdated[user] = l.changes
		delete(l.attempted, user)
	}
}

// changed notes that the devices of users are not what they were.
func (l *deviceList) changed(ctx context.Context, users []id.UserID) error {
	var tracked []id.UserID
	for chunk := range slices.Chunk(users, queryChunk) {
		found, err := l.g.store.FilterTrackedUsers(ctx, chunk)
		if err != nil {
			return fmt.Errorf("look up whose devices changed: %w", err)
		}
		tracked = append(tracked, found...)
	}
	l.mu.Lock()
	for _, user := range users {
		delete(l.attempted, user)
	}
	l.mu.Unlock()
	if len(tracked) == 0 {
		return nil
	}
	if err := l.g.store.MarkTrackedUsersOutdated(ctx, tracked); err != nil {
		return fmt.Errorf("note whose devices changed: %w", err)
	}
	l.mark(tracked)
	l.g.rooms.devicesChanged(tracked)
	l.wake()
	return nil
}

// changedAll notes that nothing is known of changes up to now.
func (l *deviceList) changedAll(ctx context.Context) error {
	if _, err := l.g.store.DB.Exec(ctx, "UPDATE crypto_tracked_user SET devices_outdated=true"); err != nil {
		return fmt.Errorf("note that devices are outdated: %w", err)
	}
	return l.load(ctx)
}

func (l *deviceList) wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

// run asks about outdated users in the background, so that trust is up to date when they write.
func (l *deviceList) run(ctx context.Context) {
	l.wake()
	wait, daily := time.NewTimer(time.Hour), time.NewTicker(24*time.Hour)
	defer wait.Stop()
	defer daily.Stop()
	l.prune(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-daily.C:
			l.prune(ctx)
			continue
		case <-l.woken:
		case <-wait.C:
		}
		l.mu.Lock()
		users := slices.Collect(maps.Keys(l.outdated))
		l.mu.Unlock()
		if len(users) == 0 {
			continue
		}
		if err := l.refresh(ctx, users); err != nil && ctx.Err() == nil {
			l.g.log.Debug("devices can't be asked for yet", "users", len(users), "err", err)
		}
		wait.Reset(queryRetry)
	}
}

func (l *deviceList) prune(ctx context.Context) {
	err := l.g.store.prune(ctx, l.g.identityKey, time.Now().Add(-sharedAge))
	if err != nil && ctx.Err() == nil {
		l.g.log.Warn("who has old keys can't be forgotten", "err", err)
	}
}

// refresh asks the server about those of the users whose devices are not known or outdated. Users whose own server does
// not answer are left out for a while; an error means that the bot's server did not.
func (l *deviceList) refresh(ctx context.Context, users []id.UserID) error {
	select {
	case l.fetching <- struct{}{}:
		defer func() { <-l.fetching }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for chunk := range slices.Chunk(users, queryChunk) {
		due, err := l.due(ctx, chunk)
		if err != nil {
			return err
		}
		if len(due) == 0 {
			continue
		}
		if _, err := l.query(ctx, due); err != nil {
			return err
		}
	}
	return nil
}

// renew is refresh for a user who has written, where the server has said that their devices changed: what they were before
// must not speak for what they are now. Where the server does not answer, what is known has to do.
func (l *deviceList) renew(ctx context.Context, user id.UserID) {
	l.mu.Lock()
	_, outdated := l.outdated[user]
	l.mu.Unlock()
	if !outdated {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	if err := l.refresh(ctx, []id.UserID{user}); err != nil {
		l.g.log.Debug("devices of a sender can't be asked for", "user_id", user, "err", err)
	}
}

// due are those of the users whose devices must be asked for.
func (l *deviceList) due(ctx context.Context, users []id.UserID) ([]id.UserID, error) {
	known := make(map[id.UserID]bool, len(users))
	var unsure []id.UserID
	l.mu.Lock()
	for _, user := range users {
		if l.lists[user] != nil {
			known[user] = true
		} else {
			unsure = append(unsure, user)
		}
	}
	l.mu.Unlock()
	if len(unsure) > 0 {
		tracked, err := l.g.store.FilterTrackedUsers(ctx, unsure)
		if err != nil {
			return nil, fmt.Errorf("look up whose devices are known: %w", err)
		}
		for _, user := range tracked {
			known[user] = true
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(users), func(user id.UserID) bool {
		_, outdated := l.outdated[user]
		return known[user] && !outdated || time.Since(l.attempted[user]) < queryRetry
	}), nil
}

// ownKeys asks for the keys of the bot's account, and returns the device's as the server has them, or nil.
func (l *deviceList) ownKeys(ctx context.Context) (device *mautrix.DeviceKeys, answer *queryAnswer, err error) {
	answer, err = l.query(ctx, []id.UserID{l.g.account.UserID})
	if err != nil {
		return nil, nil, err
	}
	raw, ok := answer.Devices[l.g.account.UserID][l.g.account.DeviceID]
	if !ok {
		return nil, answer, nil
	}
	if err := json.Unmarshal(raw, &device); err != nil {
		return nil, nil, fmt.Errorf("read the device's own keys: %w", err)
	}
	return device, answer, nil
}

// queryAnswer is the answer to /keys/query, of which signatures are checked over the bytes as they came.
type queryAnswer struct {
	Devices     map[id.UserID]map[id.DeviceID]json.RawMessage `json:"device_keys"`
	Master      map[id.UserID]json.RawMessage                 `json:"master_keys"`
	SelfSigning map[id.UserID]json.RawMessage                 `json:"self_signing_keys"`
	UserSigning map[id.UserID]json.RawMessage                 `json:"user_signing_keys"`
}

// query asks for the users' keys and stores them. What the answer says of others is not looked at.
func (l *deviceList) query(ctx context.Context, users []id.UserID) (*queryAnswer, error) {
	request := mautrix.ReqQueryKeys{
		DeviceKeys: make(mautrix.DeviceKeysRequest), Timeout: queryTimeout.Milliseconds(),
	}
	l.mu.Lock()
	before := l.changes
	l.mu.Unlock()
	for _, user := range users {
		request.DeviceKeys[user] = mautrix.DeviceIDList{}
	}
	var answer queryAnswer
	url := l.g.client.BuildClientURL("v3", "keys", "query")
	if _, err := l.g.client.MakeRequest(ctx, http.MethodPost, url, &request, &answer); err != nil {
		return nil, fmt.Errorf("ask for devices: %w", err)
	}
	for _, user := range users {
		devices, ok := answer.Devices[user]
		if !ok {
			l.failed(user)
			continue
		}
		if err := l.take(ctx, user, devices, &answer); err != nil {
			return nil, fmt.Errorf("store the devices of %s: %w", user, err)
		}
		if err := l.done(ctx, user, before); err != nil {
			return nil, err
		}
	}
	l.g.rooms.devicesChanged(users)
	return &answer, nil
}

func (l *deviceList) failed(user id.UserID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.attempted) >= maxAttempts {
		clear(l.attempted)
	}
	l.attempted[user] = time.Now()
}

// done notes that the user's devices are up to date, unless they changed while the request was under way.
func (l *deviceList) done(ctx context.Context, user id.UserID, before uint64) error {
	l.mu.Lock()
	at, outdated := l.outdated[user]
	again := outdated && at > before
	if !again {
		delete(l.outdated, user)
	}
	l.changes++ // what is being looked up meanwhile is not kept
	delete(l.attempted, user)
	maps.DeleteFunc(l.trust, func(k trustKey, _ trusted) bool { return k.user == user })
	maps.DeleteFunc(l.devices, func(k deviceKey, _ *id.Device) bool { return k.user == user })
	l.inLists -= len(l.lists[user])
	delete(l.lists, user)
	l.mu.Unlock()
	if !again {
		return nil
	}
	if err := l.g.store.MarkTrackedUsersOutdated(ctx, []id.UserID{user}); err != nil {
		return fmt.Errorf("note whose devices changed: %w", err)
	}
	l.wake()
	return nil
}

// of are the user's devices as they are stored, without those that were signed out; nil where they were never asked
// for. The caller changes neither the map nor the devices.
func (l *deviceList) of(ctx context.Context, user id.UserID) (userDevices, error) {
	l.mu.Lock()
	devices, before := l.lists[user], l.changes
	l.mu.Unlock()
	if devices != nil {
		return devices, nil
	}
	stored, err := l.g.store.GetDevices(ctx, user)
	if err != nil {
		return nil, fmt.Errorf("read the devices of %s: %w", user, err)
	}
	devices = stored
	l.mu.Lock()
	defer l.mu.Unlock()
	if devices == nil || l.changes != before || l.lists[user] != nil {
		return devices, nil
	}
	if l.inLists += len(devices); l.inLists > maxListed {
		clear(l.lists)
		l.inLists = len(devices)
	}
	l.lists[user] = devices
	return devices, nil
}

// listed is the user's device, where it is in memory.
func (l *deviceList) listed(user id.UserID, device id.DeviceID) *id.Device {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lists[user][device]
}

// byKey is the user's device with the identity key, or nil. One that was signed out counts as unknown.
func (l *deviceList) byKey(ctx context.Context, user id.UserID, key id.IdentityKey) (*id.Device, error) {
	at := deviceKey{user, key}
	l.mu.Lock()
	device, ok := l.devices[at]
	before := l.changes
	l.mu.Unlock()
	if ok {
		return device, nil
	}
	device, err := l.g.store.FindDeviceByKey(ctx, user, key)
	if err != nil {
		return nil, fmt.Errorf("look up a device of %s: %w", user, err)
	}
	if device == nil || device.Deleted {
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.devices) >= maxCachedTrust {
		clear(l.devices)
	}
	if l.changes == before {
		l.devices[at] = device
	}
	return device, nil
}
