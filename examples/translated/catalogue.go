package main

import "github.com/niobot/niobot"

// Texts of the bot's own stand in the same catalogue as niobot's: the English text is what the others are found by.
const (
	textGreeting niobot.Text = "Hello, **%s**!"
	textChosen   niobot.Text = "I speak English to you from now on."
)

// catalogues are the translations by language. English needs none.
var catalogues = map[string]map[niobot.Text]string{"german": german}

var german = map[niobot.Text]string{
	textGreeting: "Hallo, **%s**!",
	textChosen:   "Ich spreche von jetzt an Deutsch mit dir.",

	niobot.TextDisabled:     "Dieser Befehl ist abgeschaltet.",
	niobot.TextFailed:       "Bei `%s` ist etwas schiefgegangen. Es steht im Protokoll.",
	niobot.TextUsage:        "Aufruf: `%s`",
	niobot.TextCooldown:     "`%s` braucht eine Pause. Versuche es in %s wieder.",
	niobot.TextBusy:         "`%s` läuft schon. Versuche es gleich noch einmal.",
	niobot.TextDidYouMean:   "`%s` gibt es nicht. Meinst du `%s`?",
	niobot.TextNoSubcommand: "In `%s` gibt es kein `%s`. Rufe es allein auf, um zu sehen, was es gibt.",
	niobot.TextNoCommand:    "Den Befehl `%s` gibt es nicht.",
	niobot.TextCommands:     "**Befehle**",
	niobot.TextAlso:         "auch: %s",
	niobot.TextOneOf:        "eines von %s",
	niobot.TextDefault:      "sonst %s",

	niobot.TextOwnerOnly:   "Das darf nur, wem der Bot gehört.",
	niobot.TextDirectOnly:  "Das geht nur in einem Direktraum mit mir.",
	niobot.TextOtherServer: "Das dürfen Leute von deinem Server nicht.",
	niobot.TextOtherRoom:   "Das geht in diesem Raum nicht.",
	niobot.TextSenderPower: "Dafür braucht es hier Stufe %d, und du hast %d.",
	niobot.TextBotPower:    "Dafür brauche ich hier Stufe %d, und ich habe %d.",
	niobot.TextNot:         "Das geht hier nicht.",

	niobot.TextTimeout:   "Es kam keine Antwort.",
	niobot.TextWithdrawn: "Meine Frage wurde entfernt, also warte ich nicht länger.",
	niobot.TextAskedLeft: "Wen ich gefragt habe, hat den Raum verlassen.",
	niobot.TextNoAnswer:  "Diese Antwort verstehe ich nicht, und ich gebe auf. %s.",
	niobot.TextTryAgain:  "%s. Versuche es bitte noch einmal.",
	niobot.TextYes:       "ja",
	niobot.TextNo:        "nein",
	niobot.TextChoose:    "Antworte mit einer Zahl von 1 bis %d",
}
