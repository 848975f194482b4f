package arg

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the name that a mistyped word most likely stands for, or false where none is near: one change in a
// word of up to four letters, two in longer ones, where a change is a letter added, lost, replaced, or swapped with
// its neighbour. Case is ignored; of names equally near the first wins.
func Nearest(word string, names []string) (string, bool) {
	const longest = 64
	if len(word) > longest {
		return "", false
	}
	word = strings.ToLower(word)
	allowed := 2
	if utf8.RuneCountInString(word) <= 4 {
		allowed = 1
	}
	best, found := "", false
	for _, name := range names {
		if len(name) > longest {
			continue
		}
		if d := distance(word, strings.ToLower(name)); d <= allowed && d < utf8.RuneCountInString(name) {
			allowed, best, found = d-1, name, true
		}
	}
	return best, found
}

// distance counts the changes that turn a into b, by the restricted Damerau-Levenshtein measure.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	before, last, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range last {
		last[j] = j
	}
	for i := range from {
		row[0] = i + 1
		for j := range to {
			cost := 1
			if from[i] == to[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(to)]
}
