package release

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

// Getter gets a file of a module proxy.
type Getter interface {
	// Get returns the file at a path of the proxy, such as "example.org/m/@v/list". The error is [fs.ErrNotExist] if the
	// proxy has none.
	Get(ctx context.Context, path string) ([]byte, error)
}

// DefaultProxy is the module proxy that the go command asks where nothing else is set.
const DefaultProxy = "https://proxy.golang.org"

// ProxyOf picks the module proxy from a value of GOPROXY: the first URL in it. Where it has none, as with "off" and
// "direct", the error is [ErrNoProxy]; nothing else is asked behind the user's back.
func ProxyOf(goproxy string) (Getter, error) {
	if goproxy == "" {
		goproxy = DefaultProxy
	}
	for entry := range strings.FieldsFuncSeq(goproxy, func(r rune) bool { return r == ',' || r == '|' }) {
		entry = strings.TrimSpace(entry)
		if entry == "off" || entry == "direct" {
			break
		}
		u, err := url.Parse(entry)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: GOPROXY holds no URL", ErrNoProxy)
		case u.Scheme == "file":
			return fileProxy(filepath.FromSlash(u.Path)), nil
		case u.Scheme == "https" || u.Scheme == "http":
			return &httpProxy{base: u, client: &http.Client{Timeout: proxyTimeout}}, nil
		}
	}
	return nil, fmt.Errorf("%w: GOPROXY is %s", ErrNoProxy, strings.Split(goproxy, ",")[0])
}

const (
	proxyTimeout  = 30 * time.Second
	maxProxyBytes = 4 << 20 // Of one file; a go.mod file may have 16 MiB, but ours do not
)

// httpProxy asks a proxy over the network. A request holds the path and nothing of the user.
type httpProxy struct {
	base   *url.URL
	client *http.Client
}

// Get implements [Getter].
func (p *httpProxy) Get(ctx context.Context, name string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base.JoinPath(name).String(), nil)
	if err != nil {
		return nil, err
	}
	// Without a name: it would tell which program asks.
	req.Header.Set("User-Agent", "")
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	default:
		return nil, fmt.Errorf("%s: module proxy answers %s", name, resp.Status)
	}
	return readLimited(resp.Body, name)
}

// fileProxy is a proxy in a folder.
type fileProxy string

// Get implements [Getter].
func (p fileProxy) Get(_ context.Context, name string) ([]byte, error) {
	f, err := os.Open(filepath.Join(string(p), filepath.FromSlash(path.Clean("/"+name))))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readLimited(f, name)
}

func readLimited(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxProxyBytes+1))
	if err == nil && len(data) > maxProxyBytes {
		err = fmt.Errorf("%s: more than %d bytes", name, maxProxyBytes)
	}
	return data, err
}

// majorGap is how many module paths in a row may be missing before the rest is believed to be missing too.
const majorGap = 4

// maxMajors bounds how many module paths are asked for.
const maxMajors = 1000

// catalogue is what a module proxy has of a project.
type catalogue struct {
	Versions    []string     `json:"versions"`
	ESR         []int        `json:"esr,omitempty"`
	Retractions []retraction `json:"retractions,omitempty"`
}

// readCatalogue asks the proxy for all module paths of a project. What is asked does not depend on what the user has.
func readCatalogue(ctx context.Context, proxy Getter, base string) (*catalogue, error) {
	c := &catalogue{}
	missing := 0
	for major := 1; missing < majorGap && major < maxMajors; major++ {
		versions, err := listed(ctx, proxy, ModulePath(base, major))
		if err != nil {
			return nil, err
		}
		if len(versions) == 0 {
			missing++
			continue
		}
		missing = 0
		for _, v := range versions {
			c.Versions = append(c.Versions, v.String())
		}
		if err := c.readNewest(ctx, proxy, ModulePath(base, major), versions); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// readNewest takes from go.mod what Go takes it from: the file of a module path's newest release, whether that is
// retracted or not, or of its newest pre-release if there is no release.
func (c *catalogue) readNewest(ctx context.Context, proxy Getter, modulePath string, versions []Version) error {
	newest := versions[0]
	for _, v := range versions {
		if v.IsPrerelease() != newest.IsPrerelease() && newest.IsPrerelease() ||
			v.IsPrerelease() == newest.IsPrerelease() && v.Compare(newest) > 0 {
			newest = v
		}
	}
	escaped, err := module.EscapePath(modulePath)
	if err != nil {
		return err
	}
	gomod, err := proxy.Get(ctx, escaped+"/@v/"+newest.String()+".mod")
	if err != nil {
		return fmt.Errorf("go.mod of %s: %w", newest, err)
	}
	list, err := retractions(gomod)
	if err != nil {
		return fmt.Errorf("go.mod of %s: %w", newest, err)
	}
	c.Retractions = append(c.Retractions, list...)
	marked, err := isMarkedESR(gomod)
	if marked {
		c.ESR = append(c.ESR, newest.major)
	}
	return err
}

// ProxyHistory is what the module proxy lists for all module paths of a project. base is the path without /vN.
func ProxyHistory(ctx context.Context, proxy Getter, base string) (*History, error) {
	c, err := readCatalogue(ctx, proxy, base)
	if err != nil {
		return nil, fmt.Errorf("ask the module proxy: %w", err)
	}
	return c.history()
}

// history is the catalogue as a history.
func (c *catalogue) history() (*History, error) {
	h, err := NewHistory(c.Versions)
	if err != nil {
		return nil, err
	}
	return h.WithESR(c.ESR...), nil
}

// listed are the versions that the proxy has of one module path. What is no version of a module is passed over: old
// proxies list such as v2.0.0+incompatible.
func listed(ctx context.Context, proxy Getter, modulePath string) ([]Version, error) {
	escaped, err := module.EscapePath(modulePath)
	if err != nil {
		return nil, err
	}
	list, err := proxy.Get(ctx, escaped+"/@v/list")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("versions of %s: %w", modulePath, err)
	}
	var versions []Version
	for line := range strings.FieldsSeq(string(list)) {
		if v, err := ParseVersion(line); err == nil && ModulePath(BasePath(modulePath), v.major) == modulePath {
			versions = append(versions, v)
		}
	}
	return versions, nil
}
