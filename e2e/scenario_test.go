//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"testing"
)

// scenario is one story that every homeserver has to tell in the same way.
type scenario struct {
	name string
	run  func(t *testing.T, hs Homeserver)
	// alone says that the story disturbs others, by a restart for example. It runs when they are over.
	alone bool
}

// runEverywhere starts each homeserver and runs all scenarios against it: first, side by side, those that bear company,
// then the others one by one.
func runEverywhere(t *testing.T, scenarios []scenario) {
	t.Helper()
	servers := starters()
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		t.Run(name, func(t *testing.T) {
			hs := servers[name](t)
			t.Run("together", func(t *testing.T) {
				for _, s := range scenarios {
					if !s.alone {
						t.Run(s.name, func(t *testing.T) {
							t.Parallel()
							s.run(t, hs)
						})
					}
				}
			})
			for _, s := range scenarios {
				if s.alone {
					t.Run(s.name, func(t *testing.T) { s.run(t, hs) })
				}
			}
		})
	}
}
