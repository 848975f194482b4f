package arg

import (
	"strings"
	"unicode/utf8"
)

// Nearest returns the name that a mistyped word most likely stands for, or false where none is near: one change for a
// name of up to four letters, two for longer ones, where a change is a letter added, lost, replaced, or swapped with
// its neighbour. Case is ignored; of names equally near the first wins.
func Nearest(word string, names []string) (string, bool) {
	const longest = 64
	if len(word) > longest {
		return "", false
	}
	word = strings.ToLower(word)
	best, found, least := "", false, longest
	for _, name := range names {
		if len(name) > longest {
			continue
		}
		letters := utf8.RuneCountInString(name)
		allowed := min(2, letters-1)
		if letters <= 4 {
			allowed = min(1, letters-1)
		}
		if d := distance(word, strings.ToLower(name)); d <= allowed && d < least {
			best, found, least = name, true, d
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
