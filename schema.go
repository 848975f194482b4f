package niobot

import (
	"slices"
	"strconv"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"

	"github.com/niobot/niobot/arg"
)

// CommandSchemas are the descriptions of the bot's commands by which clients offer them in forms of their own: those
// that [WithCommandState] publishes. They are made from the commands' parameters, subcommands under their whole path,
// without what is hidden, switched off, or only holds others.
//
// This is MSC4391, which is not part of the specification yet: it may change with it
// (https://github.com/matrix-org/matrix-spec-proposals/pull/4391). It has neither numbers with a fraction nor durations
// and their like, which are described as text.
func (b *Bot) CommandSchemas() []*cmdschema.EventContent {
	var all []*cmdschema.EventContent
	for _, r := range b.router.routes() {
		all = r.appendSchemas(all)
	}
	return all
}

// appendSchemas adds the description of the command and those of its subcommands.
func (r *route) appendSchemas(all []*cmdschema.EventContent) []*cmdschema.EventContent {
	if r.cmd.hidden || r.cmd.disabled {
		return all
	}
	if !r.cmd.group {
		all = append(all, r.schema())
	}
	for _, child := range r.below.routes {
		all = child.appendSchemas(all)
	}
	return all
}

func (r *route) schema() *cmdschema.EventContent {
	content := &cmdschema.EventContent{Command: r.path, Description: extensible(r.cmd.description)}
	for _, alias := range r.cmd.aliases {
		if r.parent != nil {
			alias = r.parent.path + " " + alias
		}
		content.Aliases = append(content.Aliases, alias)
	}
	params := r.cmd.plan.Params()
	content.TailParam = tailParam(params)
	// First what must be given, since clients ask for that in order, then the tail, behind which nothing may be required.
	order := func(p arg.Param) int {
		switch {
		case p.Name == content.TailParam:
			return 1
		case p.Required:
			return 0
		}
		return 2
	}
	slices.SortStableFunc(params, func(p, q arg.Param) int { return order(p) - order(q) })
	for _, p := range params {
		content.Parameters = append(content.Parameters, parameter(p))
	}
	return content
}

// tailParam is the parameter that takes what is left of a line: the last one without a name of its own, if that may be
// left out or takes the rest. Others that may be left out are given by name where a client reads a line.
func tailParam(params []arg.Param) string {
	for _, p := range slices.Backward(params) {
		if p.Flag {
			continue
		}
		if p.Rest || !p.Required {
			return p.Name
		}
		return ""
	}
	return ""
}

func parameter(p arg.Param) *cmdschema.Parameter {
	schema := valueSchema(p)
	made := &cmdschema.Parameter{Key: p.Name, Optional: !p.Required, Description: extensible(p.Help), Schema: schema}
	switch {
	case p.Repeated:
		made.Schema = cmdschema.Array(schema)
	case p.HasDefault && p.Kind == arg.KindInteger:
		if n, ok := schemaInteger(p.Default); ok {
			made.DefaultValue = n
		}
	case p.HasDefault && (schema.Type == cmdschema.PrimitiveTypeString || schema.SchemaType == cmdschema.SchemaTypeUnion &&
		slices.Contains(p.Choices, p.Default)):
		made.DefaultValue = p.Default
	}
	return made
}

// valueSchema describes one value of a parameter.
func valueSchema(p arg.Param) *cmdschema.ParameterSchema {
	if len(p.Choices) > 0 {
		choices := make([]any, len(p.Choices))
		for i, choice := range p.Choices {
			choices[i] = choice
			if n, ok := schemaInteger(choice); ok && p.Kind == arg.KindInteger {
				choices[i] = n
			}
		}
		return cmdschema.Enum(choices...)
	}
	switch p.Kind {
	case arg.KindInteger:
		return cmdschema.PrimitiveTypeInteger.Schema()
	case arg.KindBool:
		return cmdschema.PrimitiveTypeBoolean.Schema()
	case arg.KindUser:
		return cmdschema.PrimitiveTypeUserID.Schema()
	case arg.KindRoom:
		return cmdschema.Union(cmdschema.PrimitiveTypeRoomID.Schema(), cmdschema.PrimitiveTypeRoomAlias.Schema())
	case arg.KindAlias:
		return cmdschema.PrimitiveTypeRoomAlias.Schema()
	case arg.KindEvent, messageArgument{}.Kind():
		return cmdschema.PrimitiveTypeEventID.Schema()
	case arg.KindLink:
		return cmdschema.Union(cmdschema.PrimitiveTypeUserID.Schema(), cmdschema.PrimitiveTypeRoomID.Schema(),
			cmdschema.PrimitiveTypeRoomAlias.Schema(), cmdschema.PrimitiveTypeEventID.Schema())
	case arg.KindServer:
		return cmdschema.PrimitiveTypeServerName.Schema()
	}
	return cmdschema.PrimitiveTypeString.Schema()
}

// schemaInteger reads a whole number that events can hold (spec: Appendices, "Canonical JSON").
func schemaInteger(text string) (int64, bool) {
	const most = 1<<53 - 1
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= -most && n <= most
}

func extensible(text string) *event.ExtensibleTextContainer {
	if text == "" {
		return nil
	}
	return event.MakeExtensibleText(text)
}
