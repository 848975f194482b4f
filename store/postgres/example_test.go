package postgres_test

import (
	"fmt"
	"log"

	"github.com/niobot/niobot/store/postgres"
)

// Nothing is connected to before the bot runs, and the password is never shown.
func ExampleOpen() {
	db, err := postgres.Open("postgres://bot:secret@db.example.org/bots", postgres.WithSchema("quizbot"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	fmt.Println(db)
	// Output: postgres bots on db.example.org:5432 (schema quizbot)
}
