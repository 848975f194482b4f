package main

import (
	"context"
	"errors"
	"maps"
	"sync"

	"maunium.net/go/mautrix/id"

	"github.com/niobot/niobot"
)

// languagesData is the name of the account data that holds who speaks what.
const languagesData = "org.example.translated.languages"

// languages are who speaks what. The zero value is ready for use: everybody speaks English.
type languages struct {
	saving sync.Mutex // Held while the choices are written, so that the latest is written last
	mu     sync.RWMutex
	chosen map[id.UserID]string
}

type languagesContent struct {
	Users map[id.UserID]string `json:"users"`
}

// texts gives niobot the catalogue for whom it speaks to. It is called for each text, so it asks nobody.
func (l *languages) texts(c *niobot.Context) map[niobot.Text]string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return catalogues[l.chosen[c.Sender()]]
}

// reply answers in the language of whom it answers, with a text of the bot's own.
func (l *languages) reply(ctx context.Context, c *niobot.Context, text niobot.Text, args ...any) error {
	format, ok := l.texts(c)[text]
	if !ok {
		format = string(text)
	}
	_, err := c.Respond(ctx, niobot.Markdown(format, args...))
	return err
}

// load reads the choices when the bot has started.
func (l *languages) load(ctx context.Context, bot *niobot.Bot) error {
	content, err := niobot.AccountData[languagesContent](ctx, bot, languagesData)
	if errors.Is(err, niobot.ErrNotFound) {
		return nil // Nobody has chosen yet.
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chosen = content.Users
	return nil
}

// choose notes what somebody speaks, and saves all choices.
func (l *languages) choose(ctx context.Context, bot *niobot.Bot, user id.UserID, language string) error {
	l.saving.Lock()
	defer l.saving.Unlock()
	l.mu.Lock()
	if l.chosen == nil {
		l.chosen = make(map[id.UserID]string)
	}
	l.chosen[user] = language
	all := languagesContent{Users: maps.Clone(l.chosen)}
	l.mu.Unlock()
	return bot.SetAccountData(ctx, languagesData, all)
}

type languageArgs struct {
	Language string `arg:"language" choices:"english,german" help:"what I shall speak to you"`
}

func (l *languages) languageCommand() *niobot.Command {
	choose := func(ctx context.Context, c *niobot.Context, a languageArgs) error {
		if err := l.choose(ctx, c.Bot(), c.Sender(), a.Language); err != nil {
			return err
		}
		return l.reply(ctx, c, textChosen)
	}
	return niobot.NewCommand("language", choose, niobot.Alias("sprache"), niobot.Describe("Choose a language."))
}

type greetArgs struct {
	Name string `arg:"name,rest" default:"world" help:"whom to greet"`
}

func (l *languages) greetCommand() *niobot.Command {
	greet := func(ctx context.Context, c *niobot.Context, a greetArgs) error {
		return l.reply(ctx, c, textGreeting, a.Name)
	}
	return niobot.NewCommand("greet", greet, niobot.Alias("grüße"), niobot.Describe("Greet somebody."))
}
