package cli

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

// passphraseVariable is the environment variable with the passphrase of exported keys.
const passphraseVariable = "NIOBOT_PASSPHRASE"

var (
	errNoPassphrase    = errors.New(passphraseVariable + " is not set, and there is no terminal to ask at")
	errEmptyPassphrase = errors.New("the passphrase is empty")
	errNotTheSame      = errors.New("the two passphrases are not the same")
)

// readSecret reads a line of this process's terminal without showing it.
func readSecret(prompt string) (string, error) {
	if _, err := fmt.Fprint(os.Stderr, prompt); err != nil {
		return "", err
	}
	secret, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(secret), err
}

// passphrase is what keys are encrypted with; a new one is asked for twice.
func passphrase(env *Env, isNew bool) (string, error) {
	if given := env.Getenv(passphraseVariable); given != "" {
		return given, nil
	}
	if !env.attended() {
		return "", errNoPassphrase
	}
	typed, err := env.ReadSecret("Passphrase: ")
	switch {
	case err != nil:
		return "", fmt.Errorf("read the passphrase: %w", err)
	case typed == "":
		return "", errEmptyPassphrase
	case !isNew:
		return typed, nil
	}
	again, err := env.ReadSecret("The same again: ")
	switch {
	case err != nil:
		return "", fmt.Errorf("read the passphrase: %w", err)
	case again != typed:
		return "", errNotTheSame
	}
	return typed, nil
}
