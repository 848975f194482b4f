package main

import (
	"context"

	"github.com/niobot/niobot"
)

type convertArgs struct {
	Degrees float64 `arg:"degrees" help:"the temperature"`
	To      string  `arg:"--to,-t" choices:"celsius,fahrenheit" default:"fahrenheit" help:"the scale"`
}

var convertCommand = niobot.NewCommand("convert", convert,
	niobot.Alias("c"),
	niobot.Describe("Convert a temperature."))

func convert(ctx context.Context, c *niobot.Context, a convertArgs) error {
	if a.To == "celsius" {
		return c.Reply(ctx, "%.1f °F are **%.1f °C**.", a.Degrees, (a.Degrees-32)/1.8)
	}
	return c.Reply(ctx, "%.1f °C are **%.1f °F**.", a.Degrees, a.Degrees*1.8+32)
}
