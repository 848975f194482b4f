package arg

import "strings"

// Usage returns the parameters in one line, in the order of the fields:
//
//	<user>             a required argument
//	[count]            an argument that may be left out
//	<users…> [users…]  one or more words; any number of words
//	<text…> [text…]    for a rest argument: all that follows, as it stands
//	[--force]          a flag without a value
//	[--for 24h]        a flag with its default, or with the kind of its value as in [--for <duration>]
//	[--sort <up|down>] a flag with a few choices
//	[--tag <text>…]    a flag that may be given several times
//	--for <duration>   a flag that must be given
//
// A plan without parameters has the usage "".
func (p *Plan) Usage() string { return p.usage }

func usage(params []param) string {
	parts := make([]string, len(params))
	for i := range params {
		parts[i] = params[i].notation()
	}
	return strings.Join(parts, " ")
}

func (p *param) notation() string {
	inner := p.Name
	switch {
	case p.bare():
		inner = "--" + p.Name
	case p.Flag && p.HasDefault:
		inner = "--" + p.Name + " " + p.shownDefault()
	case p.Flag:
		inner = "--" + p.Name + " <" + p.placeholder() + ">"
	}
	if p.Repeated || p.Rest {
		inner += "…"
	}
	switch {
	case !p.Required:
		return "[" + inner + "]"
	case p.Flag:
		return inner
	default:
		return "<" + inner + ">"
	}
}

// placeholder stands for the value of a flag: its choices, where they are short, or its kind.
func (p *param) placeholder() string {
	const short = 40
	if choices := strings.Join(p.Choices, "|"); choices != "" && len(choices) <= short {
		return choices
	}
	return string(p.kind)
}

func (p *param) shownDefault() string {
	if p.Repeated || p.kind == KindJSON || p.kind == KindCode {
		return p.Default
	}
	return Quote(p.Default)
}
