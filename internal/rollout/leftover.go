package rollout

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// killMarked kills, from within a container, the process groups of what has $1 in its environment, all but their guards:
// these end by themselves then. A group may have none: what a task started may lead one of its own.
const killMarked = `mark=$1 groups= g=
for f in /proc/[0-9]*/environ; do
  vars=
  { while read -r line || [ "$line" ]; do vars="$vars $line"; done <"$f"; } 2>/dev/null
  case $vars in *"$mark"*) ;; *) continue ;; esac
  { read -r line <"${f%environ}stat"; } 2>/dev/null || continue
  set -- ${line##*) }
  groups="$groups $3"
  { read -r line <"/proc/$3/cmdline"; } 2>/dev/null
  case $line in *promote-group*) g="$g $3" ;; esac
done
` + killTree

// killProcesses kills the processes of this machine that have a variable in their environment, as far as they can be
// seen: those of this user. They may be starting others, so it looks again until there are none, and gives up on one
// that does not die.
func killProcesses(variable string) (gone bool) {
	for range 100 {
		paths, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed
		gone = true
		for _, path := range paths {
			pid, err := strconv.Atoi(filepath.Base(path))
			if err == nil && pid != os.Getpid() && killProcess(pid, variable) {
				gone = false
			}
		}
		if gone {
			break
		}
	}
	return gone
}

// killProcess kills a process if it has a variable in its environment.
func killProcess(pid int, variable string) bool {
	process, err := os.FindProcess(pid) // holds on to it: the number may become another's
	if err != nil {
		return false
	}
	defer process.Release()
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || !bytes.Contains(append([]byte{0}, environ...), []byte("\x00"+variable+"\x00")) {
		return false
	}
	return process.Kill() == nil
}
