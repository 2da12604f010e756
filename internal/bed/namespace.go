package bed

import (
	"fmt"
	"os"
)

// rootVariable names the bed's folder to every process inside; outside it is not set.
const rootVariable = "PROMOTE_BED"

// root is the folder for the bed's data, or "" outside of one.
func root() string { return os.Getenv(rootVariable) }

// enter runs work inside a bed and returns its result, or the exit code of the process that did.
// The same program passes here three times: outside, where it waits and cleans up; as the first
// process inside, which prepares the namespaces and reaps orphans; and below that, where it works.
func enter(work func() int) int {
	switch {
	case root() == "":
		return outside()
	case os.Getpid() == 1:
		return first()
	default:
		return work()
	}
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "bed:", err)
	return 1
}
