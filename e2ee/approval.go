//go:build goolm

package e2ee

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"maunium.net/go/mautrix"
)

// The stages of user-interactive authentication in which a person approves a step in a browser: the spec's, and that of
// Matrix Authentication Service before it.
const (
	stageOAuth = "m.oauth"
	stageReset = "org.matrix.cross_signing_reset"
)

// challenge is what a server asks for before it does something (spec: Client-Server API, "User-Interactive
// Authentication API").
type challenge struct {
	Session string                     `json:"session"`
	Params  map[string]json.RawMessage `json:"params"`
	Flows   []struct {
		Stages []string `json:"stages"`
	} `json:"flows"`
}

// authenticated sends a request without authentication, and again with what the server asks for. The body is made by
// with, which gets the authentication, nil at first.
func (g *engine) authenticated(ctx context.Context, url string, with func(auth any) any) error {
	// The body of the answer is looked at, since mautrix has no error for a challenge.
	body, err := g.client.MakeRequest(ctx, http.MethodPost, url, with(nil), nil)
	asked, ok := challengeOf(body, err)
	if !ok {
		return err
	}
	auth, err := g.answerChallenge(ctx, asked)
	if err != nil {
		return err
	}
	body, err = g.client.MakeFullRequest(ctx, mautrix.FullRequest{
		Method: http.MethodPost, URL: url, RequestJSON: with(auth), SensitiveContent: true,
	})
	if _, again := challengeOf(body, err); !again {
		return err
	}
	if _, password := auth.(passwordAuth); password {
		return ErrPasswordWrong
	}
	return fmt.Errorf("the step was not approved: %w", err)
}

func challengeOf(body []byte, err error) (asked challenge, ok bool) {
	var httpErr mautrix.HTTPError
	if !errors.As(err, &httpErr) || !httpErr.IsStatus(http.StatusUnauthorized) {
		return asked, false
	}
	return asked, json.Unmarshal(body, &asked) == nil && len(asked.Flows) > 0
}

type passwordAuth struct {
	Type       string         `json:"type"`
	Session    string         `json:"session,omitempty"`
	Identifier userIdentifier `json:"identifier"`
	User       string         `json:"user"` // The older way to say whose password it is
	Password   string         `json:"password"`
}

type userIdentifier struct {
	Type string `json:"type"`
	User string `json:"user"`
}

type stageAuth struct {
	Type    string `json:"type,omitempty"`
	Session string `json:"session"`
}

func (c challenge) offers(stage string) bool {
	for _, flow := range c.Flows {
		if slices.Equal(flow.Stages, []string{stage}) {
			return true
		}
	}
	return false
}

func (g *engine) answerChallenge(ctx context.Context, asked challenge) (any, error) {
	for _, stage := range []string{stageOAuth, stageReset} {
		if asked.offers(stage) {
			return g.approve(ctx, asked, stage)
		}
	}
	switch {
	case asked.offers(string(mautrix.AuthTypePassword)):
		if g.settings.password == nil {
			return nil, ErrPasswordNeeded
		}
		password, err := g.settings.password(ctx)
		if err != nil {
			return nil, fmt.Errorf("get the account's password: %w", err)
		}
		if password == "" {
			return nil, ErrPasswordNeeded
		}
		user := string(g.account.UserID)
		return passwordAuth{
			Type: string(mautrix.AuthTypePassword), Session: asked.Session,
			Identifier: userIdentifier{"m.id.user", user}, User: user, Password: password,
		}, nil
	case asked.offers(string(mautrix.AuthTypeDummy)):
		return stageAuth{Type: string(mautrix.AuthTypeDummy), Session: asked.Session}, nil
	}
	var stages []string
	for _, flow := range asked.Flows {
		stages = append(stages, flow.Stages...)
	}
	return nil, fmt.Errorf("the server wants a person to do this in another client; it asks for %q", stages)
}

// approve waits until a person has approved the step in a browser.
func (g *engine) approve(ctx context.Context, asked challenge, stage string) (any, error) {
	var params struct {
		URL string `json:"url"`
	}
	if json.Unmarshal(asked.Params[stage], &params) != nil || params.URL == "" {
		return nil, errors.New("the server wants a person to approve this, and does not say where")
	}
	if g.settings.onApproval == nil {
		return nil, &ApprovalError{URL: params.URL}
	}
	if err := g.settings.onApproval(ctx, params.URL); err != nil {
		return nil, fmt.Errorf("wait for approval: %w", err)
	}
	return stageAuth{Type: stage, Session: asked.Session}, nil
}
