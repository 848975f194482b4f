// Package release is the project's security policy as code: which versions are supported, which patches a fault asks
// for, how those are cut and disclosed, and what users are told. SECURITY.md says the same in prose.
//
//	history, err := release.NewHistory(tags)
//	status, err := history.Status(version)         // supported, ESR until vN, unsupported since
//	plan, err := release.NewPlan(history, ranges)  // which releases to cut, and why every other version gets none
//
// [Cutter] cuts what was planned, [Discloser] tells the world of it, [Checker] tells a user whether to upgrade. The
// module paths of a project, example.org/m and example.org/m/v2 and so on, are one project here.
//
// The package knows no bot. What it does outside of this process goes through small interfaces: [Runner] for git and
// go, [Getter] for the module proxy, [Announcer] for Matrix.
package release
