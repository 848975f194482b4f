package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Announcement is what a room is told of an advisory.
type Announcement struct {
	// Transaction is the id under which it is sent: a second announcement with the same one is none.
	Transaction string
	// Homeserver is where the bot that sends has its account.
	Homeserver string
	// Room is the alias or the id of the room.
	Room string
	// Title is one line, such as "[URGENT] niobot v5.6.1 and v4.7.14".
	Title string
	// Text is what follows, in plain text.
	Text string
	// Link is the address of the advisory.
	Link string
}

// Announcer tells a room, and everybody in it, of an advisory.
type Announcer interface {
	// Announce sends an announcement and returns the id of its event. Called again with the same Transaction, by
	// another process too, it returns the id of the event that is there.
	Announce(ctx context.Context, a Announcement) (event string, err error)
}

// Discloser tells the world of a fault when its patches are out.
type Discloser struct {
	Cutter    *Cutter
	Proxy     Getter
	Announcer Announcer
}

// Disclosure is what was disclosed.
type Disclosure struct {
	Files []string // The advisory's, from the root of the repository
	Event string   // The announcement's event
	Again bool     // The announcement had been sent before
}

// Disclose writes the advisory of a fault, for people and as an OSV record, into the project's folder for advisories,
// and announces it. It refuses while the project's placeholders are not filled in ([*PlaceholderError]) and until
// every planned release is on the remote and in the module proxy ([*UnpublishedError]). Disclosing again changes
// nothing and announces nothing.
func (d *Discloser) Disclose(ctx context.Context, id string) (*Disclosure, error) {
	project := d.Cutter.Project
	if err := project.Filled(); err != nil {
		return nil, err
	}
	record, err := d.Cutter.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := d.checkPublished(ctx, record); err != nil {
		return nil, err
	}
	root, err := d.Cutter.Git.Root(ctx)
	if err != nil {
		return nil, err
	}
	done := &Disclosure{}
	if done.Files, err = d.writeAdvisory(root, record); err != nil {
		return nil, fmt.Errorf("write advisory: %w", err)
	}
	marker := filepath.Join(record.Dir, announcedFile)
	event, err := os.ReadFile(marker)
	if err == nil {
		done.Event, done.Again = strings.TrimSpace(string(event)), true
		return done, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if done.Event, err = d.Announcer.Announce(ctx, record.announcement(project)); err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	return done, writeFile(marker, []byte(done.Event+"\n"), 0o600)
}

// checkPublished finds the planned releases that somebody can't get yet.
func (d *Discloser) checkPublished(ctx context.Context, r *Record) error {
	git, remote := d.Cutter.Git, d.Cutter.Project.Remote
	there, err := git.remoteTags(ctx, remote)
	if err != nil {
		return err
	}
	var missing []string
	for _, cut := range r.Cuts {
		name := cut.Version.String()
		tag, err := git.tag(ctx, name)
		if err != nil {
			return err
		}
		if tag == "" || there[name] != tag {
			missing = append(missing, fmt.Sprintf("%s is not on %s", name, remote))
			continue
		}
		versions, err := listed(ctx, d.Proxy, cut.Module)
		if err != nil {
			return err
		}
		if !slices.Contains(versions, cut.Version) {
			missing = append(missing, fmt.Sprintf("%s is not in the module proxy", name))
		}
	}
	if len(missing) > 0 {
		return &UnpublishedError{missing}
	}
	return nil
}

// writeAdvisory writes what is not there yet, and keeps the time of the first publication.
func (d *Discloser) writeAdvisory(root string, r *Record) ([]string, error) {
	project := d.Cutter.Project
	dir := filepath.Join(root, filepath.FromSlash(project.Advisories))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	jsonPath := filepath.Join(dir, r.Fault.ID+".json")
	published := d.Cutter.now()
	var earlier OSV
	if data, err := os.ReadFile(jsonPath); err == nil && json.Unmarshal(data, &earlier) == nil &&
		!earlier.Published.IsZero() {
		published = earlier.Published
	}
	record := newOSV(r.Fault, r.Plan, project.Module, known(project.Repository), published)
	record.References = append([]OSVReference{{"ADVISORY", r.advisoryURL(project)}}, record.References...)
	data, err := record.encode()
	if err != nil {
		return nil, err
	}
	if err := writeFile(jsonPath, data, 0o644); err != nil {
		return nil, err
	}
	text := r.advisory(project, published)
	if err := writeFile(filepath.Join(dir, r.Fault.ID+".md"), []byte(text), 0o644); err != nil {
		return nil, err
	}
	return []string{project.Advisories + "/" + r.Fault.ID + ".json", project.Advisories + "/" + r.Fault.ID + ".md"}, nil
}

func (r *Record) advisoryURL(p *Project) string {
	return fmt.Sprintf("%s/blob/HEAD/%s/%s.md", p.Repository, p.Advisories, r.Fault.ID)
}

// advisory is the advisory for people, in Markdown.
func (r *Record) advisory(project *Project, published time.Time) string {
	f := r.Fault
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n", f.ID, f.Summary)
	fmt.Fprintf(&b, "Published %s.", published.UTC().Format(time.DateOnly))
	if len(f.Aliases) > 0 {
		fmt.Fprintf(&b, " Also known as %s.", strings.Join(f.Aliases, ", "))
	}
	b.WriteString("\n")
	if f.CVSS != "" {
		fmt.Fprintf(&b, "\nSeverity: `%s`\n", f.CVSS)
	}
	if details := strings.TrimSpace(f.Details); details != "" {
		fmt.Fprintf(&b, "\n%s\n", details)
	}
	b.WriteString("\n## Affected versions\n\n| module | affected | upgrade to |\n|---|---|---|\n")
	for _, m := range r.Plan.modules() {
		for _, i := range intervals(m.versions, r.Plan.Affected) {
			span := i.Low.String()
			if i.Low != i.High {
				span += " to " + i.High.String()
			}
			upgrade := "a supported major"
			if v := r.Plan.upgrade(i); !v.IsZero() {
				upgrade = v.String()
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", ModulePath(project.Module, m.major), span, upgrade)
		}
	}
	if len(f.Credits) > 0 {
		b.WriteString("\n## Thanks\n\n")
		for _, c := range f.Credits {
			fmt.Fprintf(&b, "- %s\n", c.line())
		}
	}
	return b.String()
}

// announcement is what the support room is told.
func (r *Record) announcement(p *Project) Announcement {
	var versions []string
	for _, cut := range r.Cuts {
		versions = append(versions, cut.Version.String())
	}
	text := fmt.Sprintf("%s (%s). Upgrade now; the versions that are affected are retracted.",
		strings.TrimSuffix(r.Fault.Summary, "."), r.Fault.ID)
	if who := thanks(r.Fault.Credits); who != "" {
		text += " Thanks to " + who + "."
	}
	return Announcement{
		Transaction: r.Fault.ID,
		Homeserver:  p.Homeserver,
		Room:        p.SupportRoom,
		Title:       fmt.Sprintf("%s %s %s", urgentMark, p.Name, strings.Join(versions, " and ")),
		Text:        text,
		Link:        r.advisoryURL(p),
	}
}
