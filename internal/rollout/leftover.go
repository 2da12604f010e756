package rollout

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// killMarked kills, from within a container, the process groups that have $1 in their environment.
const killMarked = `mark=$1 groups=
for f in /proc/[0-9]*/environ; do
  vars=
  { while read -r line || [ "$line" ]; do vars="$vars $line"; done <"$f"; } 2>/dev/null
  case $vars in *"$mark"*) ;; *) continue ;; esac
  { read -r line <"${f%environ}stat"; } 2>/dev/null || continue
  set -- ${line##*) }
  case " $groups " in *" $3 "*) ;; *) groups="$groups $3" ;; esac
done
for g in $groups; do
` + killTree + `
done`

// killProcesses kills the processes of this machine that have a variable in their environment, as far as they can be
// seen: those of this user.
func killProcesses(variable string) {
	paths, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well-formed
	for _, path := range paths {
		environ, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), append([]byte("\x00"+variable), 0)) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
		}
	}
}
