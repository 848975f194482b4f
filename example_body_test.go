package niobot_test

import (
	"fmt"

	"github.com/niobot/niobot"
	"github.com/niobot/niobot/render"
)

func ExamplePlain() {
	body := niobot.Plain("2 * 3 * 4 <b>is</b> 24")
	fmt.Println(body.Text)
	fmt.Printf("%q\n", body.HTML)
	// Output:
	// 2 * 3 * 4 <b>is</b> 24
	// ""
}

func ExampleHTML() {
	body := niobot.HTML(`<h1>News</h1><script>alert(1)</script><p onclick="steal()">It is <b>late</b>.</p>`)
	fmt.Println(body.HTML)
	fmt.Println(body.Text)
	// Output:
	// <h1>News</h1><p>It is <b>late</b>.</p>
	// News
	//
	// It is late.
}

func ExampleRawHTML() {
	body := niobot.RawHTML(`<x-map lat="52.5" lon="13.4">Berlin</x-map>`)
	fmt.Println(body.HTML)
	fmt.Println(body.Text)
	// Output:
	// <x-map lat="52.5" lon="13.4">Berlin</x-map>
	// Berlin
}

func ExampleMarkdown_values() {
	// What is to be more than text is passed as a value.
	table := render.Table{Columns: []render.Column{{Name: "Drink"}, {Name: "€", Align: render.AlignRight}}}
	table.Add("Tea", "2.50")
	table.Add("Coffee", "13.00")
	body := niobot.Markdown("Hello, %v!\n\n%v", render.User("@alice:example.org", "Alice"), table)
	fmt.Println(body.Text)
	fmt.Println("mentions:", body.Mentions.Users)
	// Output:
	// Hello, Alice!
	//
	// Drink  |     €
	// -------+------
	// Tea    |  2.50
	// Coffee | 13.00
	// mentions: [@alice:example.org]
}
