package niobot

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/niobot/niobot/arg"
)

// ReplyWithError is what is done with a command's error where [WithErrorHandler] sets nothing else. Wrong arguments
// are answered with what is wrong, where, and the command's usage; failed checks with their reason. Any other error is
// logged, and answered without its text, which may hold what is not for the room. A handler of one's own may call it
// for the errors that it has no better answer for.
func ReplyWithError(ctx context.Context, c *Context, err error) { replyWithError(ctx, c, err) }

func replyWithError(ctx context.Context, c *Context, err error) {
	var (
		wrong   *arg.Error
		refused *CheckError
		tired   *CooldownError
		answer  Body
	)
	switch {
	case errors.As(err, &wrong):
		answer = wrongArgument(c, wrong)
	case errors.As(err, &refused):
		answer = Plain(refused.Reason)
	case errors.As(err, &tired):
		if tired.Silent {
			return
		}
		answer = c.words(TextCooldown, c.Called, tired.Wait.Round(time.Second)+time.Second)
	case errors.Is(err, ErrBusy):
		answer = c.words(TextBusy, c.Called)
	case errors.Is(err, ErrClosed), errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), ErrClosed):
		c.Logger().Info("command ended with the bot", "err", err)
		return
	default:
		attrs := []any{"err", err}
		if stack := stackOf(err); stack != "" {
			attrs = append(attrs, "stack", stack)
		}
		c.Logger().Error("command ended with an error", attrs...)
		if ctx.Err() != nil {
			return
		}
		answer = c.words(TextFailed, c.Called)
	}
	if _, err := c.Respond(ctx, answer); err != nil && ctx.Err() == nil {
		c.Logger().Warn("error not answered", "err", err)
	}
}

// wrongArgument says what is wrong, shows where, and gives the usage.
func wrongArgument(c *Context, wrong *arg.Error) Body {
	usage := commandLine(c.Prefix, c.Called, c.Command)
	if pointer := wrong.Pointer(); pointer != "" && strings.TrimSpace(wrong.Text) != "" {
		return Markdown("%s\n\n```\n%s\n```\n\n%v", wrong.Error(), pointer, c.words(TextUsage, usage))
	}
	return Markdown("%s\n\n%v", wrong.Error(), c.words(TextUsage, usage))
}

// commandLine is how the command is called.
func commandLine(prefix, name string, cmd *Command) string {
	line := prefix + name
	if usage := cmd.Usage(); usage != "" {
		line += " " + usage
	}
	return line
}
