package fence

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// graph is what imports what, by import path.
type graph map[string]node

type node struct {
	imports []string // of the package as it is built
	tests   []string // of its test files too
}

// set is a list of import paths. A path that ends in "/..." stands for itself and for all below it.
type set []string

func (s set) has(path string) bool {
	return slices.ContainsFunc(s, func(pattern string) bool {
		base, all := strings.CutSuffix(pattern, "/...")
		return path == base || all && strings.HasPrefix(path, base+"/")
	})
}

// rule forbids packages to import others.
type rule struct {
	name    string
	from    set  // who is held to it
	fromNot set  // who is not, though in from
	ban     set  // what they must not import
	allow   set  // what they may import, though in ban
	but     set  // what they must not import, though in allow
	deep    bool // through others, too
	tests   bool // in test files, too
	why     string
}

func (r rule) bans(path string) bool {
	return r.ban.has(path) && (!r.allow.has(path) || r.but.has(path))
}

// broken gives one line for each package and forbidden import, with the shortest chain between them.
func (r rule) broken(g graph) []string {
	var lines []string
	for _, from := range slices.Sorted(maps.Keys(g)) {
		if !r.from.has(from) || r.fromNot.has(from) {
			continue
		}
		for _, chain := range r.chains(g, from) {
			lines = append(lines, fmt.Sprintf("%s (%s): %s", r.name, r.why, strings.Join(chain, " → ")))
		}
	}
	return lines
}

// chains gives the shortest way from a package to each banned one that it reaches.
func (r rule) chains(g graph, from string) [][]string {
	var found [][]string
	seen := map[string]bool{from: true}
	for queue := [][]string{{from}}; len(queue) > 0; queue = queue[1:] {
		chain := queue[0]
		at := g[chain[len(chain)-1]]
		next := at.imports
		if r.tests && len(chain) == 1 {
			next = slices.Concat(next, at.tests)
		}
		for _, path := range next {
			if seen[path] {
				continue
			}
			seen[path] = true
			longer := append(slices.Clone(chain), path)
			switch {
			case r.bans(path):
				found = append(found, longer)
			case r.deep:
				queue = append(queue, longer)
			}
		}
	}
	return found
}

// leaves gives the import paths of the leaf folders that the graph has.
func leaves(g graph) []string {
	found := make(map[string]bool)
	for path := range g {
		if notLeaves.has(path) {
			continue
		}
		for _, root := range leafRoots {
			if (set{root + "/..."}).has(path) {
				found[root] = true
			}
		}
		if below, ok := strings.CutPrefix(path, module+"/internal/"); ok {
			name, _, _ := strings.Cut(below, "/")
			found[module+"/internal/"+name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// violations checks all rules.
func violations(g graph) []string {
	var lines []string
	for _, r := range slices.Concat(rules, leafRules(g)) {
		lines = append(lines, r.broken(g)...)
	}
	return lines
}
