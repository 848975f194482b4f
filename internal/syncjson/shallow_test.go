package syncjson

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestShallow(t *testing.T) {
	nest := func(levels int, inside string) string {
		return strings.Repeat(`{"a":[`, levels/2) + inside + strings.Repeat(`]}`, levels/2)
	}
	gone := func(text string) string { return "0" + strings.Repeat(" ", len(text)-1) }
	tests := []struct{ name, text, want string }{
		{"as deep as may be", nest(maxNesting, `1,"}]"`), nest(maxNesting, `1,"}]"`)},
		{"one deeper", nest(maxNesting, `1,[],2`), nest(maxNesting, `1,0 ,2`)},
		{"two deeper", nest(maxNesting, `1,{"b":[]},{}`), nest(maxNesting, `1,`+gone(`{"b":[]}`)+`,0 `)},
		{"strings inside", nest(maxNesting, `[{"]\"}":"\\"},"["],"\\"`), nest(maxNesting, gone(`[{"]\"}":"\\"},"["]`)+`,"\\"`)},
		{"much deeper", nest(100*maxNesting, ``), nest(maxNesting, gone(nest(99*maxNesting, ``)))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !json.Valid([]byte(tt.want)) {
				t.Fatal("the test wants broken JSON")
			}
			for _, reader := range []func(io.Reader) io.Reader{iotest.HalfReader, iotest.OneByteReader} {
				got, err := io.ReadAll(&shallow{r: reader(strings.NewReader(tt.text))})
				if err != nil || string(got) != tt.want {
					t.Errorf("got %q, %v, want %q", got, err, tt.want)
				}
			}
		})
	}
}
