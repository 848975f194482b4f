package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Cutter cuts the releases that a fault asks for. It works in a clone and lets nothing out of it but by [Cutter.Push].
type Cutter struct {
	Project *Project
	Git     *Git
	// Now is the clock. Nil: [time.Now].
	Now func() time.Time
}

func (c *Cutter) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Load is the record of what was cut for an advisory, or [ErrNoRecord].
func (c *Cutter) Load(ctx context.Context, id string) (*Record, error) {
	if !idPattern.MatchString(id) {
		return nil, fmt.Errorf("%q is no id of an advisory: %w", id, ErrNoRecord)
	}
	dir, err := c.Git.private(ctx, id)
	if err != nil {
		return nil, err
	}
	return readRecord(dir)
}

// Cut plans the releases for a fault and cuts each: on top of the branch with its fix, a commit with the retractions
// and a section of the changelog, tested, and an annotated tag on it whose subject is its title and whose text is the
// release notes. No branch moves. Beside the notes, an OSV record is drafted; see [Record].Dir.
//
// It refuses without a trace while the tree is dirty ([ErrDirty]), a planned tag exists ([*TagExistsError]), a branch
// is missing or has nothing new, or tests fail ([ErrTestsFailed]). Cutting the same fault again, after the process was
// killed too, finishes what was begun and returns the same record.
func (c *Cutter) Cut(ctx context.Context, f Fault) (*Record, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	record, err := c.Load(ctx, f.ID)
	switch {
	case errors.Is(err, ErrNoRecord):
		if record, err = c.prepare(ctx, f); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case !sameFault(record.Fault, f):
		return nil, fmt.Errorf("%s was cut with another description; to cut it anew, remove its tags and %s",
			f.ID, record.Dir)
	}
	return record, c.tagAll(ctx, record)
}

// sameFault compares two faults by what they hold.
func sameFault(a, b Fault) bool {
	x, errX := encodeJSON(a)
	y, errY := encodeJSON(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// Plan is the plan for a fault by the tags of the clone.
func (c *Cutter) Plan(ctx context.Context, affected string) (*Plan, error) {
	ranges, err := ParseRanges(affected)
	if err != nil {
		return nil, err
	}
	h, err := c.Git.History(ctx)
	if err != nil {
		return nil, err
	}
	return NewPlan(h, ranges)
}

// prepare makes the commits, which nothing names yet, and writes the record.
func (c *Cutter) prepare(ctx context.Context, f Fault) (*Record, error) {
	plan, err := c.Plan(ctx, f.Affected)
	if err != nil {
		return nil, err
	}
	if len(plan.Releases) == 0 {
		return nil, ErrNothingToCut
	}
	clean, err := c.Git.isClean(ctx)
	if err != nil {
		return nil, err
	}
	if !clean {
		return nil, ErrDirty
	}
	dir, err := c.Git.private(ctx, f.ID)
	if err != nil {
		return nil, err
	}
	record := &Record{Fault: f, Plan: plan, Dir: dir}
	for _, r := range plan.Releases {
		cut, err := c.check(ctx, r)
		if err != nil {
			return nil, err
		}
		record.Cuts = append(record.Cuts, cut)
	}
	files := make(map[string]string)
	for i, r := range plan.Releases {
		cut := &record.Cuts[i]
		notes := f.notes(r, cut.Module, plan)
		cut.Message = r.Title() + "\n\n" + notes
		files[notesFile(r.Version)] = "# " + r.Title() + "\n\n" + notes
		if err := c.make(ctx, f, plan, r, cut); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Version, err)
		}
	}
	draft, err := newOSV(f, plan, c.Project.Module, known(c.Project.Repository), c.now()).encode()
	if err != nil {
		return nil, err
	}
	files[osvFile(f.ID)] = string(draft)
	return record, record.write(files)
}

// check finds all that stands against a release before anything is made.
func (c *Cutter) check(ctx context.Context, r Release) (Cut, error) {
	cut := Cut{
		Version: r.Version,
		Module:  ModulePath(c.Project.Module, r.Version.Major()),
		Branch:  fmt.Sprintf(c.Project.FixBranch, r.Version.Major()),
	}
	switch tag, err := c.Git.tag(ctx, r.Version.String()); {
	case err != nil:
		return cut, err
	case tag != "":
		return cut, &TagExistsError{Tag: r.Version.String(), Where: "here"}
	}
	head, err := c.Git.branch(ctx, cut.Branch)
	if err != nil {
		return cut, err
	}
	if head == "" {
		return cut, fmt.Errorf("%s: there is no branch %s; make it from %s and commit the fix there",
			r.Version, cut.Branch, r.Base)
	}
	base, err := c.Git.commit(ctx, "refs/tags/"+r.Base.String())
	if err != nil {
		return cut, err
	}
	follows, err := c.Git.isAncestor(ctx, base, head)
	switch {
	case err != nil:
		return cut, err
	case !follows:
		return cut, fmt.Errorf("%s: branch %s does not come from %s", r.Version, cut.Branch, r.Base)
	case base == head:
		return cut, fmt.Errorf("%s: branch %s holds nothing after %s; commit the fix there",
			r.Version, cut.Branch, r.Base)
	}
	cut.Head = head
	return cut, nil
}

// The files that a release changes.
const (
	goModFile     = "go.mod"
	changelogFile = "CHANGELOG.md"
)

// make makes and tests the commit of a release, in a folder of its own.
func (c *Cutter) make(ctx context.Context, f Fault, p *Plan, r Release, cut *Cut) error {
	tmp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // It was only a place to work in.
	return c.Git.inWorktree(ctx, filepath.Join(tmp, "tree"), cut.Head, func(tree *Git) error {
		if err := editFile(filepath.Join(tree.Dir, goModFile), func(text []byte) ([]byte, error) {
			return retract(text, cut.Module, p.retracted(r.Version.Major()), func(i Interval) string {
				return f.rationale(p.upgrade(i))
			})
		}); err != nil {
			return err
		}
		if err := editFile(filepath.Join(tree.Dir, changelogFile), func(text []byte) ([]byte, error) {
			return addToChangelog(text, r.Version, c.now(), []string{f.changelogLine()})
		}); err != nil {
			return err
		}
		if err := c.test(ctx, tree); err != nil {
			return err
		}
		message := "Release " + r.Version.String()
		if _, err := tree.run(ctx, "commit", "--quiet", "-m", message, "--", goModFile, changelogFile); err != nil {
			return err
		}
		cut.Commit, err = tree.commit(ctx, "HEAD")
		return err
	})
}

// test runs the project's tests on what will be released, which they must not change.
func (c *Cutter) test(ctx context.Context, tree *Git) error {
	before, err := tree.run(ctx, "status", "--porcelain")
	if err != nil {
		return err
	}
	command := c.Project.Test
	if _, err := tree.Runner.Run(ctx, tree.Dir, "", command[0], command[1:]...); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", ErrTestsFailed, err)
	}
	after, err := tree.run(ctx, "status", "--porcelain")
	if err == nil && after != before {
		err = fmt.Errorf("%w: they have changed the tree:\n%s", ErrTestsFailed, after)
	}
	return err
}

// retracted are the stretches that the go.mod file of a major withdraws.
func (p *Plan) retracted(major int) []Interval {
	for _, m := range p.modules() {
		if sameModule(m.major, major) {
			return intervals(m.versions, p.Affected)
		}
	}
	return nil
}

// upgrade is what users of a stretch of versions should take; zero if its major gets no patch.
func (p *Plan) upgrade(i Interval) Version {
	at := slices.IndexFunc(p.Verdicts, func(v Verdict) bool { return v.Version == i.High })
	if at < 0 {
		return Version{}
	}
	return p.Verdicts[at].Upgrade
}

func editFile(path string, edit func([]byte) ([]byte, error)) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if text, err = edit(text); err != nil {
		return err
	}
	return os.WriteFile(path, text, info.Mode().Perm())
}

// tagAll makes the tags that a record names, where they are missing.
func (c *Cutter) tagAll(ctx context.Context, r *Record) error {
	for _, cut := range r.Cuts {
		name := cut.Version.String()
		tag, err := c.Git.tag(ctx, name)
		if err != nil {
			return err
		}
		if tag == "" {
			// The text is taken as it is: a line that begins with # is a heading, not a comment.
			_, err := c.Git.Runner.Run(ctx, c.Git.Dir, cut.Message,
				"git", "tag", "-a", "--cleanup=verbatim", "-F", "-", name, cut.Commit)
			if err != nil {
				return fmt.Errorf("tag %s: %w", name, err)
			}
			continue
		}
		if commit, err := c.Git.commit(ctx, tag); err != nil || commit != cut.Commit {
			return errors.Join(&TagExistsError{Tag: name, Where: "here, on another commit,"}, err)
		}
	}
	return nil
}

// Ready tells whether something cut now could be pushed: the project's placeholders are filled in, and the remote has
// no version that the clone has not, since a plan would be made without it.
func (c *Cutter) Ready(ctx context.Context) error {
	_, err := c.ready(ctx)
	return err
}

// ready gives the remote's tags as well.
func (c *Cutter) ready(ctx context.Context) (map[string]string, error) {
	if err := c.Project.Filled(); err != nil {
		return nil, err
	}
	there, err := c.Git.remoteTags(ctx, c.Project.Remote)
	if err != nil {
		return nil, err
	}
	var unknown []string
	for name := range there {
		here, err := c.Git.tag(ctx, name)
		if err != nil {
			return nil, err
		}
		if here == "" && looksLikeVersion.MatchString(name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, fmt.Errorf("%s has %s, which this clone has not: fetch, and plan again",
			c.Project.Remote, strings.Join(unknown, ", "))
	}
	return there, nil
}

// Push sends the tags of a record to the project's remote, all or none, and nothing else. It refuses where
// [Cutter.Ready] does, and if one of the tags is there with another content ([*TagExistsError]).
func (c *Cutter) Push(ctx context.Context, r *Record) error {
	there, err := c.ready(ctx)
	if err != nil {
		return err
	}
	remote := c.Project.Remote
	args := []string{"push", "--quiet", "--atomic", remote}
	for _, cut := range r.Cuts {
		name := cut.Version.String()
		here, err := c.Git.tag(ctx, name)
		if err != nil {
			return err
		}
		if there[name] != "" && there[name] != here {
			return &TagExistsError{Tag: name, Where: "on " + remote + ", with another content,"}
		}
		args = append(args, "refs/tags/"+name+":refs/tags/"+name)
	}
	if _, err := c.Git.run(ctx, args...); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	return nil
}
