package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"maunium.net/go/mautrix/id"
)

// scores are everybody's points. Both modules have the same ones, and use them at the same time.
type scores struct {
	file   string
	mu     sync.Mutex
	points map[id.UserID]int
}

func newScores(file string) *scores { return &scores{file: file, points: make(map[id.UserID]int)} }

// add gives points to a user, and returns how many they have then.
func (s *scores) add(user id.UserID, points int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points[user] += points
	return s.points[user]
}

// score is one line of the list.
type score struct {
	user   id.UserID
	points int
}

// best are the users with the most points.
func (s *scores) best(most int) []score {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []score
	for user, points := range s.points {
		all = append(all, score{user, points})
	}
	slices.SortFunc(all, func(a, b score) int {
		return cmp.Or(cmp.Compare(b.points, a.points), cmp.Compare(a.user, b.user))
	})
	return all[:min(most, len(all))]
}

// load reads the file, if there is one.
func (s *scores) load() error {
	raw, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read points: %w", err)
	}
	points := make(map[id.UserID]int)
	if err := json.Unmarshal(raw, &points); err != nil {
		return fmt.Errorf("read points of %s: %w", s.file, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points = points
	return nil
}

// save writes the file: a new one, which then takes the old one's place, so that there is no moment with half a file.
func (s *scores) save() error {
	s.mu.Lock()
	points := maps.Clone(s.points)
	s.mu.Unlock()
	raw, err := json.Marshal(points)
	if err != nil {
		return fmt.Errorf("save points: %w", err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(s.file), ".points-*")
	if err != nil {
		return fmt.Errorf("save points: %w", err)
	}
	defer func() { _ = os.Remove(fresh.Name()) }() // Of no effect once it has taken its place.
	_, err = fresh.Write(raw)
	if err = errors.Join(err, fresh.Close()); err != nil {
		return fmt.Errorf("save points: %w", err)
	}
	if err := os.Rename(fresh.Name(), s.file); err != nil {
		return fmt.Errorf("save points: %w", err)
	}
	return nil
}
