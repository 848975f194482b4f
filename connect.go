package niobot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"maunium.net/go/mautrix"

	"github.com/niobot/niobot/internal/logbridge"
	"github.com/niobot/niobot/internal/testbed"
)

// connect makes the bot ready for requests: it finds the server, asks for the versions that it speaks, and for the
// account that the token belongs to. Once it has worked, it returns at once.
func (b *Bot) connect(ctx context.Context) error {
	if b.connected.Load() {
		return nil
	}
	if err := b.connecting.enter(ctx); err != nil {
		return err
	}
	defer b.connecting.leave()
	if b.connected.Load() {
		return nil
	}
	if bed := testbed.Of(ctx); bed != nil {
		b.config.Homeserver, b.config.Token = bed.Homeserver, bed.Token
		bed.Idle, bed.Kill = b.idleAndStored, func() { b.endLife(ErrClosed) }
		if bed.Store != nil && b.keeps() {
			b.settings.store = bed.Store(b.settings.store).(Store)
		}
	}
	client, err := b.newClient(ctx)
	if err != nil {
		return err
	}
	if err := b.retryStart(ctx, "versions", func(ctx context.Context) error {
		versions, err := client.Versions(ctx)
		if err == nil && versions == nil {
			return errors.New("the server's answer is no JSON object")
		}
		return err
	}); err != nil {
		return fmt.Errorf("ask %s for its versions: %w; is that the address of a Matrix homeserver?", b.config.Homeserver, err)
	}
	var who *mautrix.RespWhoami
	if err := b.retryStart(ctx, "whoami", func(ctx context.Context) (err error) {
		who, err = client.Whoami(ctx)
		return err
	}); err != nil {
		return b.explain(fmt.Errorf("ask whose token it is: %w", err))
	}
	if who == nil || checkUserID(who.UserID) != nil {
		return errors.New("ask whose token it is: the server's answer names no user")
	}
	client.UserID, client.DeviceID = who.UserID, who.DeviceID
	b.client = client
	b.outbox = newOutbox(client, b.seal, &b.echoes, b.settings.maxSendAge)
	b.files = b.newRepository(client)
	b.connected.Store(true)
	b.log.Info("connected", "homeserver", client.HomeserverURL.String(), "user_id", who.UserID, "device_id", who.DeviceID)
	return nil
}

func (b *Bot) newClient(ctx context.Context) (*mautrix.Client, error) {
	base := b.config.Homeserver
	httpClient := &http.Client{Transport: b.settings.transport}
	if bed := testbed.Of(ctx); bed != nil && bed.Transport != nil {
		httpClient.Transport = bed.Transport
	}
	if !strings.Contains(base, "://") {
		found, err := discover(ctx, httpClient, base)
		if err != nil {
			return nil, fmt.Errorf("find the homeserver of %s: %w", base, err)
		}
		base = found
	}
	u, err := mautrix.ParseAndNormalizeBaseURL(base)
	if err != nil {
		return nil, fmt.Errorf("parse homeserver URL: %w", err)
	}
	if u.Scheme == "http" && !isLoopback(u) {
		b.log.Warn("the access token travels unencrypted; use an https URL", "homeserver", u.String())
	}
	return &mautrix.Client{
		HomeserverURL: u,
		AccessToken:   b.config.Token,
		UserAgent:     userAgent,
		Client:        httpClient,
		Log:           logbridge.New(b.log.Handler()),
	}, nil
}

// userAgent names the framework to the server.
const userAgent = "niobot (+https://github.com/niobot/niobot)"

// discover finds the base URL of a server by its name (spec: Client-Server API, "Server discovery"). A server without
// a .well-known file answers under its own name.
func discover(ctx context.Context, client *http.Client, server string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	found, err := mautrix.DiscoverClientAPIWithClient(ctx, client, server)
	if err != nil {
		return "", err
	}
	if found == nil {
		return "https://" + server, nil
	}
	base := found.Homeserver.BaseURL
	if base == "" || checkHomeserver(base) != nil || !strings.Contains(base, "://") {
		return "", fmt.Errorf("its .well-known file gives %q, which is no URL of a homeserver", base)
	}
	return base, nil
}

// retryStart repeats a request of the start for as long as the server can't be reached or has trouble, each time with a
// line in the log; a bot that is started together with its server waits for it.
func (b *Bot) retryStart(ctx context.Context, what string, f func(ctx context.Context) error) error {
	var wait backoff
	for {
		err := attemptOnce(ctx, f)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		pause, again := retryWait(err, &wait)
		if !again || isAnswer(err) {
			return err
		}
		b.log.Warn("homeserver is not ready", "request", what, "retry_in", pause, "err", err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// isAnswer tells whether a request ended with an answer of status 2xx that could not be read: this is no Matrix
// homeserver, and waiting does not make it one.
func isAnswer(err error) bool {
	var failed mautrix.HTTPError
	return errors.As(err, &failed) && failed.Response != nil && failed.Response.StatusCode < 300
}

// explain makes an error of a token that is not accepted one that says what to do.
func (b *Bot) explain(err error) error {
	if !isFatal(err) {
		return err
	}
	return fmt.Errorf("%w (homeserver %s): %w", ErrUnknownToken, b.config.Homeserver, err)
}
