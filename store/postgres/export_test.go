package postgres

// Digests are the digests of the migrations, in their order.
func Digests() []string {
	var all []string
	for _, step := range migrations {
		all = append(all, step.Digest())
	}
	return all
}
