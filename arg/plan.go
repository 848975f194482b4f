package arg

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// MaxParams is how many parameters one plan can have.
const MaxParams = 64

// Plan knows how to turn text into a struct of one type. It does not change after it was made, and it can be used from
// many goroutines at once.
type Plan struct {
	typ        reflect.Type
	params     []param
	positional []int // places in params
	usage      string
}

// NewPlan studies the fields and tags of the struct type t. All mistakes that it finds are joined into one error, and
// each names the struct and the field.
func NewPlan(t reflect.Type, opts ...Option) (*Plan, error) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("arg: the arguments must be a struct, not %v", t)
	}
	b := builder{own: map[reflect.Type]codec{}}
	for _, opt := range opts {
		opt(&b)
	}
	name := t.Name()
	if name == "" {
		name = "struct"
	}
	b.walk(t, name, nil)
	if len(b.params) > MaxParams {
		b.fault(fmt.Errorf("arg: %s: %d parameters; there can be %d", name, len(b.params), MaxParams))
	}
	positional := b.order()
	b.names()
	if len(b.faults) > 0 {
		return nil, errors.Join(b.faults...)
	}
	return &Plan{typ: t, params: b.params, positional: positional, usage: usage(b.params)}, nil
}

// Params returns a description of each parameter, in the order of the fields. The caller may keep and change it.
func (p *Plan) Params() []Param {
	out := make([]Param, len(p.params))
	for i := range p.params {
		out[i] = p.params[i].Param
		out[i].Choices = slices.Clone(out[i].Choices)
	}
	return out
}
