package verify

import "strings"

// Emoji is one of the 64 signs of SAS verification.
type Emoji struct {
	Number int    // 0 to 63
	Symbol string // Such as "🐶"
	Name   string // In English, such as "Dog"
}

// String gives symbol and name, such as "🐶 Dog".
func (e Emoji) String() string { return e.Symbol + " " + e.Name }

// emojiTable has the emoji by their number (spec: Client-Server API, "SAS method: emoji").
const emojiTable = `🐶 Dog,🐱 Cat,🦁 Lion,🐎 Horse,🦄 Unicorn,🐷 Pig,🐘 Elephant,🐰 Rabbit,` +
	`🐼 Panda,🐓 Rooster,🐧 Penguin,🐢 Turtle,🐟 Fish,🐙 Octopus,🦋 Butterfly,🌷 Flower,` +
	`🌳 Tree,🌵 Cactus,🍄 Mushroom,🌏 Globe,🌙 Moon,☁️ Cloud,🔥 Fire,🍌 Banana,` +
	`🍎 Apple,🍓 Strawberry,🌽 Corn,🍕 Pizza,🎂 Cake,❤️ Heart,😀 Smiley,🤖 Robot,` +
	`🎩 Hat,👓 Glasses,🔧 Spanner,🎅 Santa,👍 Thumbs Up,☂️ Umbrella,⌛ Hourglass,⏰ Clock,` +
	`🎁 Gift,💡 Light Bulb,📕 Book,✏️ Pencil,📎 Paperclip,✂️ Scissors,🔒 Lock,🔑 Key,` +
	`🔨 Hammer,☎️ Telephone,🏁 Flag,🚂 Train,🚲 Bicycle,✈️ Aeroplane,🚀 Rocket,🏆 Trophy,` +
	`⚽ Ball,🎸 Guitar,🎺 Trumpet,🔔 Bell,⚓ Anchor,🎧 Headphones,📁 Folder,📌 Pin`

var emojis = func() (table [64]Emoji) {
	for n, entry := range strings.Split(emojiTable, ",") {
		symbol, name, _ := strings.Cut(entry, " ")
		table[n] = Emoji{Number: n, Symbol: symbol, Name: name}
	}
	return table
}()

// emojiOf takes seven groups of six bits from the first 42.
func emojiOf(sas [6]byte) []Emoji {
	var bits uint64
	for _, b := range sas {
		bits = bits<<8 | uint64(b)
	}
	list := make([]Emoji, 7)
	for i := range list {
		list[i] = emojis[bits>>(42-6*i)&0x3f]
	}
	return list
}

// decimalsOf takes three groups of 13 bits from the first 39, and adds 1000 to each.
func decimalsOf(sas [6]byte) [3]int {
	var bits uint64
	for _, b := range sas {
		bits = bits<<8 | uint64(b)
	}
	var numbers [3]int
	for i := range numbers {
		numbers[i] = int(bits>>(35-13*i)&0x1fff) + 1000
	}
	return numbers
}
