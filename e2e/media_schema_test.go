//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// mediaSchema is what the specification says of messages with files.
var mediaSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile(filepath.Join("testdata", "media.schema.json"))
})

// checkMedia holds the content of a message with a file to the schema.
func checkMedia(t *testing.T, content []byte) {
	t.Helper()
	if err := mediaError(t, content); err != nil {
		t.Errorf("%v\nin %s", err, content)
	}
}

func mediaError(t *testing.T, content []byte) error {
	t.Helper()
	schema, err := mediaSchema()
	check(t, "read the schema", err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	check(t, "read the content", err)
	return schema.Validate(value)
}

// TestMediaSchema shows that the schema can fail: each change of a right message makes it a wrong one.
func TestMediaSchema(t *testing.T) {
	right, err := os.ReadFile(filepath.Join("testdata", "encrypted_image.json"))
	check(t, "read the right message", err)
	checkMedia(t, right)
	for _, change := range []struct{ from, to string }{
		{`"m.image"`, `"m.picture"`},
		{`"body": "a cat"`, `"body": ""`},
		{`"filename"`, `"file_name"`},
		{`"image/png"`, `"video/png"`},
		{`"image/png"`, `"PNG"`},
		{`"w": 900`, `"w": "900"`},
		{`"w": 900`, `"w": 0`},
		{`"size": 12345`, `"size": -1`},
		{`"size": 12345`, `"size": 1.5`},
		{`"thumbnail_info"`, `"thumbnailInfo"`},
		{`"thumbnail_file"`, `"thumbnail_url": "mxc://example.org/thumbnail", "thumbnail_file"`},
		{`"msgtype"`, `"url": "mxc://example.org/cat", "msgtype"`},
		{`"mxc://example.org/cat"`, `"https://example.org/cat"`},
		{`"v2"`, `"v1"`},
		{`"A256CTR"`, `"A128CTR"`},
		{`"encrypt", `, ``},
		{`"ext": true`, `"ext": false`},
		{`"iv": "`, `"iv": "=`},
		{`"sha256"`, `"md5"`},
	} {
		wrong := strings.Replace(string(right), change.from, change.to, 1)
		if wrong == string(right) || !json.Valid([]byte(wrong)) {
			t.Errorf("%s is not in the message, or the message is no JSON with %s", change.from, change.to)
			continue
		}
		if mediaError(t, []byte(wrong)) == nil {
			t.Errorf("with %s in place of %s, it still passes", change.to, change.from)
		}
	}
}
