package release

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Git is a clone of the project's repository.
type Git struct {
	Dir    string // Anywhere in the clone
	Runner Runner
}

func (g *Git) run(ctx context.Context, args ...string) (string, error) {
	out, err := g.Runner.Run(ctx, g.Dir, "", "git", args...)
	return strings.TrimSpace(out), err
}

// Root is the folder of the working tree.
func (g *Git) Root(ctx context.Context) (string, error) {
	return g.run(ctx, "rev-parse", "--show-toplevel")
}

// private is a folder inside of .git, for what must not get into a commit by accident. All worktrees share it.
func (g *Git) private(ctx context.Context, name string) (string, error) {
	dir, err := g.run(ctx, "rev-parse", "--path-format=absolute", "--git-common-dir")
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "niobot-release", name), nil
}

// History is what the tags of the clone say. A major is ESR if the go.mod file of its newest release says so.
func (g *Git) History(ctx context.Context) (*History, error) {
	out, err := g.run(ctx, "tag", "--list")
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	h, err := NewHistory(strings.Fields(out))
	if errors.Is(err, ErrNoVersion) {
		return nil, fmt.Errorf("%w; in a clone without tags, git fetch --tags gets them", err)
	}
	if err != nil {
		return nil, err
	}
	var esr []int
	for _, major := range h.Majors() {
		newest := h.Newest(major)
		gomod, err := g.file(ctx, newest.String(), "go.mod")
		if err != nil {
			return nil, fmt.Errorf("read go.mod of %s: %w", newest, err)
		}
		marked, err := isMarkedESR(gomod)
		if err != nil {
			return nil, fmt.Errorf("read go.mod of %s: %w", newest, err)
		}
		if marked {
			esr = append(esr, major)
		}
	}
	return h.WithESR(esr...), nil
}

// file is a file as a tag has it.
func (g *Git) file(ctx context.Context, tag, name string) ([]byte, error) {
	out, err := g.Runner.Run(ctx, g.Dir, "", "git", "show", "refs/tags/"+tag+":"+name)
	return []byte(out), err
}

// isClean tells whether the working tree has no changes and no files that git does not know.
func (g *Git) isClean(ctx context.Context) (bool, error) {
	out, err := g.run(ctx, "status", "--porcelain")
	return out == "", err
}

// tag is the object that a tag names, empty if there is none.
func (g *Git) tag(ctx context.Context, name string) (string, error) {
	return g.ref(ctx, "refs/tags/"+name)
}

// branch is the commit that a branch names, empty if there is none.
func (g *Git) branch(ctx context.Context, name string) (string, error) {
	return g.ref(ctx, "refs/heads/"+name)
}

func (g *Git) ref(ctx context.Context, ref string) (string, error) {
	out, err := g.run(ctx, "rev-parse", "--verify", "--quiet", ref)
	if exitCode(err) == 1 {
		return "", nil
	}
	return out, err
}

// commit is the commit behind a tag or another name.
func (g *Git) commit(ctx context.Context, name string) (string, error) {
	return g.run(ctx, "rev-parse", "--verify", "--quiet", name+"^{commit}")
}

// isAncestor tells whether one commit comes before another, or is it.
func (g *Git) isAncestor(ctx context.Context, old, young string) (bool, error) {
	_, err := g.run(ctx, "merge-base", "--is-ancestor", old, young)
	if exitCode(err) == 1 {
		return false, nil
	}
	return err == nil, err
}

// remoteTags are the tags of a remote with the objects that they name.
func (g *Git) remoteTags(ctx context.Context, remote string) (map[string]string, error) {
	out, err := g.run(ctx, "ls-remote", "--tags", "--refs", remote)
	if err != nil {
		return nil, fmt.Errorf("ask %s for its tags: %w", remote, err)
	}
	tags := make(map[string]string)
	for line := range strings.Lines(out) {
		object, ref, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if name, isTag := strings.CutPrefix(ref, "refs/tags/"); ok && isTag {
			tags[name] = object
		}
	}
	return tags, nil
}

// inWorktree checks a commit out into a new folder, calls f there, and removes it.
func (g *Git) inWorktree(ctx context.Context, dir, commit string, f func(tree *Git) error) error {
	if _, err := g.run(ctx, "worktree", "add", "--quiet", "--detach", dir, commit); err != nil {
		return fmt.Errorf("check out %s: %w", commit, err)
	}
	defer func() {
		// Also when ctx has ended: what is left over would be in the way of the next try.
		_, _ = g.run(context.WithoutCancel(ctx), "worktree", "remove", "--force", dir)
	}()
	return f(&Git{Dir: dir, Runner: g.Runner})
}
