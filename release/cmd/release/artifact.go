package main

import (
	"context"
	"flag"
	"io"

	"github.com/niobot/niobot/release"
)

const sbomUsage = `Usage: go tool release sbom PROGRAM

Prints the bill of materials of a Go program, in CycloneDX JSON: the modules that were linked in. The same program gives
the same bytes.
`

const checksumsUsage = `Usage: go tool release checksums FILE…

Prints the SHA-256 of files, as sha256sum -c reads it.
`

func runSBOM(_ context.Context, e env, flags *flag.FlagSet) error {
	args, err := parse(e, flags, 1, "a program")
	if err != nil {
		return err
	}
	bom, err := release.ReadSBOM(args[0])
	if err != nil {
		return err
	}
	text, err := bom.Encode()
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(text)
	return err
}

func runChecksums(_ context.Context, e env, flags *flag.FlagSet) error {
	files, err := parse(e, flags, -1, "a file")
	if err != nil {
		return err
	}
	sums, err := release.Checksums(files)
	if err != nil {
		return err
	}
	_, err = io.WriteString(e.stdout, sums)
	return err
}
