package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// How late keys come that come after their message.
const (
	lateShare = 0.3
	latest    = 2 * time.Second
)

// postman passes the users' requests on to the homeserver. Some keys it takes at once and delivers late, so that the bot
// has their messages first, as it has from another server.
type postman struct {
	server  *http.Server
	proxy   *httputil.ReverseProxy
	to      *url.URL
	under   sync.WaitGroup
	ctx     context.Context // Of what is under way
	dismiss context.CancelFunc

	mu     sync.Mutex
	rng    *rand.Rand
	late   int
	errors []error
}

// newPostman serves at the returned URL until it is closed.
func newPostman(homeserver string, seed uint64) (p *postman, address string, err error) {
	to, err := url.Parse(homeserver)
	if err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	p = &postman{to: to, proxy: httputil.NewSingleHostReverseProxy(to), rng: rand.New(rand.NewPCG(seed, 4))}
	// A poll that ends with its user is nothing to tell of.
	p.proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	p.ctx, p.dismiss = context.WithCancel(context.Background())
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	p.under.Go(func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.complain(err)
		}
	})
	return p, "http://" + listener.Addr().String(), nil
}

// ServeHTTP implements [http.Handler].
func (p *postman) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wait, late := p.delay(r)
	if !late {
		p.proxy.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	again := r.Clone(p.ctx)
	again.RequestURI, again.Body = "", io.NopCloser(bytes.NewReader(body))
	again.URL.Scheme, again.URL.Host = p.to.Scheme, p.to.Host
	p.under.Go(func() { p.deliver(again, wait) })
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

// delay is how much later the request is to come, for keys that are to be late.
func (p *postman) delay(r *http.Request) (wait time.Duration, late bool) {
	if !strings.Contains(r.URL.Path, "/sendToDevice/m.room.encrypted/") {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng.Float64() >= lateShare {
		return 0, false
	}
	p.late++
	return time.Duration(p.rng.Int64N(int64(latest))), true
}

func (p *postman) deliver(r *http.Request, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ctx.Done():
		return
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.complain(err)
		return
	}
	if resp.StatusCode != http.StatusOK {
		p.complain(fmt.Errorf("deliver a key late: %s", resp.Status))
	}
	_ = resp.Body.Close()
}

func (p *postman) complain(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errors = append(p.errors, err)
}

// delivered is how many keys came late.
func (p *postman) delivered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.late
}

// close ends the postman, and returns what it could not deliver.
func (p *postman) close() error {
	p.dismiss()
	err := p.server.Close()
	p.under.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(append(p.errors, err)...)
}
