package release_test

import (
	"fmt"
	"os"

	"github.com/niobot/niobot/release"
)

func ExampleSupport() {
	tags := []string{"v3.9.9", "v4.7.13", "v5.6.0"}
	for _, version := range []string{"v5.6.0", "v4.7.13", "v3.9.9"} {
		status, err := release.Support(version, tags)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(version, "is", status)
	}
	status, err := release.Support("v3.9.9", tags, 3) // v3 was marked ESR.
	fmt.Println("v3.9.9 is", status, err)
	// Output:
	// v5.6.0 is supported
	// v4.7.13 is supported
	// v3.9.9 is unsupported since v5.6.0
	// v3.9.9 is ESR until v7 <nil>
}

func ExampleNewPlan() {
	history, err := release.NewHistory([]string{"v4.6.3", "v4.7.13", "v5.2.7", "v5.6.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	affected, err := release.ParseRanges("v4, >=v5.2.7 <=v5.6.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := release.NewPlan(history, affected)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := plan.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Releases to cut:
	//   [URGENT] v5.6.1   on v5.6.0   v5 is supported, and v5.6.0 is its newest release and affected
	//   [URGENT] v4.7.14  on v4.7.13  v4 is supported, and v4.7.13 is its newest release and affected
	//
	// Every other version gets none:
	//   v5.6.0   affected  patched by v5.6.1                                   upgrade to v5.6.1
	//   v5.2.7   affected  only the newest minor of v5 is patched, by v5.6.1   upgrade to v5.6.1
	//   v4.7.13  affected  patched by v4.7.14                                  upgrade to v4.7.14
	//   v4.6.3   affected  only the newest minor of v4 is patched, by v4.7.14  upgrade to v4.7.14
}
