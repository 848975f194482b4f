package attachment

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"time"
)

const (
	defaultFetchTime = 2 * time.Minute
	maxRedirects     = 5
	maxHeader        = 64 << 10
)

// FetchOption changes how a [URL] is fetched.
type FetchOption func(*fetch)

// FetchMaxBytes is the most that is fetched, in place of the [Repository]'s limit for downloads.
func FetchMaxBytes(bytes int64) FetchOption { return func(f *fetch) { f.limit = bytes } }

// FetchTimeout is how long fetching may take, with all redirects; two minutes without it.
func FetchTimeout(d time.Duration) FetchOption { return func(f *fetch) { f.timeout = d } }

// FetchAnywhere allows private, local and reserved addresses too. It is not for URLs that users give: with it they
// reach what only the bot's own machine and network can reach.
func FetchAnywhere() FetchOption { return func(f *fetch) { f.anywhere = true } }

// fetch is the fetching of one URL.
type fetch struct {
	url      string
	limit    int64
	timeout  time.Duration
	anywhere bool
}

// run fetches the file into a spool and finds its name.
func (f fetch) run(ctx context.Context, dir string) (got *spool, name string, err error) {
	target, err := url.Parse(f.url)
	if err != nil {
		return nil, "", fmt.Errorf("fetch: %w: it can't be parsed", ErrForbiddenURL) // The error would show it whole.
	}
	shown := redacted(target)
	if err := checkURL(target); err != nil {
		return nil, "", fmt.Errorf("fetch %s: %w", shown, err)
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, http.NoBody)
	if err != nil {
		return nil, "", fmt.Errorf("fetch %s: %w", shown, ErrForbiddenURL)
	}
	request.Header.Set("User-Agent", "niobot")
	client, done := f.client()
	defer done()
	response, err := client.Do(request)
	if err != nil {
		return nil, "", fmt.Errorf("fetch %s: %w", shown, withoutURL(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("fetch: %w", &StatusError{URL: shown, Status: response.StatusCode})
	}
	if response.ContentLength > f.limit {
		return nil, "", fmt.Errorf("fetch %s: %w", shown,
			&TooLargeError{Limit: f.limit, Size: response.ContentLength, Whose: "the"})
	}
	got = newSpool(dir)
	if err := got.fill(response.Body, f.limit, "the"); err != nil {
		_ = got.Close()
		return nil, "", fmt.Errorf("fetch %s: %w", shown, err)
	}
	return got, nameOf(response), nil
}

// client is one for this fetch alone: connections that are kept would be checked when they were made, by another's
// rules.
func (f fetch) client() (client *http.Client, done func()) {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: -1}
	if !f.anywhere {
		dialer.Control = refusePrivate
	}
	transport := &http.Transport{
		// Without a proxy, which would connect to anywhere on our behalf.
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
	}
	client = &http.Client{
		Transport: transport,
		CheckRedirect: func(request *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("%w: more than %d redirects", ErrForbiddenURL, maxRedirects)
			}
			return checkURL(request.URL)
		},
	}
	return client, transport.CloseIdleConnections
}

// checkURL refuses other schemes than those of the web.
func checkURL(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("%w: it is no http or https URL with a host", ErrForbiddenURL)
	}
	return nil
}

// redacted is a URL as it may be logged: its query may hold tokens as well.
func redacted(u *url.URL) string {
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return shown.String()
}

// withoutURL takes the URL out of an error of net/http.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// nameOf is the file's name by the answer's Content-Disposition (RFC 6266) or the URL's path.
func nameOf(response *http.Response) string {
	if _, params, err := mime.ParseMediaType(response.Header.Get("Content-Disposition")); err == nil {
		if name := CleanName(params["filename"]); name != "" {
			return name
		}
	}
	return CleanName(path.Base(response.Request.URL.Path))
}
