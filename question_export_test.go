package niobot

// OpenQuestions is how many questions are open, and how many waiters there are.
func (b *Bot) OpenQuestions() (questions, waiters int) {
	b.questions.mu.Lock()
	for _, open := range b.questions.rooms {
		questions += len(open)
	}
	b.questions.mu.Unlock()
	b.waiters.mu.Lock()
	defer b.waiters.mu.Unlock()
	return questions, len(b.waiters.all)
}
