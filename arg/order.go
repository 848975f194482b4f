package arg

import (
	"fmt"
	"strings"
)

// order lists the positional parameters and checks that each word can belong to one of them only.
func (b *builder) order() []int {
	var positional []int
	for i := range b.params {
		if !b.params[i].Flag {
			positional = append(positional, i)
		}
	}
	for n, i := range positional {
		p := &b.params[i]
		p.last = n == len(positional)-1
		if p.Rest && !p.last {
			b.faultAt(p.Field, fmt.Errorf("takes the rest, so %s cannot follow", b.params[positional[n+1]].Field))
			continue
		}
		if p.Rest || p.set == nil || p.Required && !p.Repeated || p.Repeated && p.fixed() {
			continue
		}
		for _, j := range positional[n+1:] {
			q := &b.params[j]
			if q.set != nil && b.clash(p, q) {
				b.faultAt(p.Field, fmt.Errorf("cannot be told apart from %s; make one of them a flag", q.Field))
				break
			}
			if q.Required {
				break
			}
		}
	}
	return positional
}

// clash reports whether p, which may end before a word that it could take, leaves open which of the two gets the word.
func (b *builder) clash(p, q *param) bool {
	if !p.Repeated && !q.Required {
		return false // words are handed out from left to right
	}
	sameType := p.kind == q.kind && len(p.Choices) == 0 && p.match == nil && !p.min.IsValid() && !p.max.IsValid()
	return p.takesAnything() || sameType
}

// names checks that no two parameters have a name or a letter in common.
func (b *builder) names() {
	for i := range b.params {
		p := &b.params[i]
		for j := range i {
			q := &b.params[j]
			if strings.EqualFold(p.Name, q.Name) {
				b.faultAt(p.Field, fmt.Errorf("has the name %s, as has %s", p.Name, q.Field))
			}
			if p.Short != 0 && p.Short == q.Short {
				b.faultAt(p.Field, fmt.Errorf("has the short flag -%c, as has %s", p.Short, q.Field))
			}
		}
	}
}
