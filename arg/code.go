package arg

import (
	"context"
	"reflect"
	"strings"
	"unicode"
)

// CodeBlock is source text that a user sent between backquotes: fenced, with the language behind the opening fence, or
// inline. As a rest argument it also takes plain text, all of which is then the Body.
type CodeBlock struct {
	Language string // as typed behind the opening fence; empty where there was none
	Body     string // without the fences, and without the line break before the closing one
}

func setCode(_ context.Context, _ env, text string, v reflect.Value) error {
	block, n := readCode(text)
	switch {
	case n == len(text) && n > 0:
	case n == 0 && !strings.HasPrefix(text, "`"):
		block = CodeBlock{Body: text}
	case n == 0:
		return &rejection{reason: "the code block is not closed", err: ErrQuote}
	default:
		return &rejection{reason: "there is more text after the code block"}
	}
	*v.Addr().Interface().(*CodeBlock) = block
	return nil
}

func spanCode(text string) (value string, length int, err error) {
	if !strings.HasPrefix(text, "`") {
		return "", 0, rejectKind(text[:wordLen(text)], KindCode, nil)
	}
	_, n := readCode(text)
	if n == 0 {
		return "", 0, &rejection{reason: "the code block is not closed", err: ErrQuote}
	}
	return text[:n], n, nil
}

// readCode reads the code at the front of text and returns its length, or 0 where there is none or it has no end.
// A block is closed by as many backquotes as opened it. https://spec.commonmark.org/0.31.2/#fenced-code-blocks
func readCode(text string) (CodeBlock, int) {
	fence := backquotes(text)
	if fence == 0 {
		return CodeBlock{}, 0
	}
	for i := fence; i < len(text); {
		n := backquotes(text[i:])
		if n == 0 {
			if next := strings.IndexByte(text[i:], '`'); next > 0 {
				i += next
				continue
			}
			break
		}
		if n == fence {
			return block(text[fence:i], fence), i + n
		}
		i += n
	}
	return CodeBlock{}, 0
}

func block(inner string, fence int) CodeBlock {
	if fence < 3 {
		return CodeBlock{Body: inner}
	}
	language, body, lines := strings.Cut(inner, "\n")
	language = strings.TrimSpace(language)
	if !lines || strings.ContainsFunc(language, unicode.IsSpace) {
		return CodeBlock{Body: strings.TrimSuffix(strings.TrimPrefix(inner, "\n"), "\n")}
	}
	return CodeBlock{Language: language, Body: strings.TrimSuffix(strings.TrimSuffix(body, "\n"), "\r")}
}
