package bench

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// commits is how long the history is that has no version yet.
const commits = 10_000

// history is a stream for git fast-import: a version, and then as many commits, each of one file among a
// hundred in two folders.
func history(files map[string]string) string {
	var b strings.Builder
	b.WriteString("commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 6\nFirst\n\n")
	for name, text := range files {
		fmt.Fprintf(&b, "M 644 inline %s\ndata %d\n%s\n", name, len(text), text)
	}
	b.WriteString("reset refs/tags/v1.4.2\nfrom refs/heads/main\n\n")
	for i := range commits {
		message := fmt.Sprintf("fix(part-%d): mend what was broken in case %d\n\nIt was seen by somebody who looked at it twice, and who then told us of it.\n\nRefs: #%d\n", i%7, i, i)
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\ndata %d\n%s", 1700000060+i*60, len(message), message)
		folder := []string{"core", "site"}[i%2]
		text := fmt.Sprint(i)
		fmt.Fprintf(&b, "M 644 inline %s/file-%d\ndata %d\n%s\n\n", folder, i%100, len(text), text)
	}
	return b.String()
}

// BenchmarkHistory is bump auto over 10,000 commits, and promote next, against git log of the same range:
// of the whole repository, and of one folder of it.
func BenchmarkHistory(b *testing.B) {
	for _, path := range []string{".", "core"} {
		for _, line := range []string{"promote bump auto --no-publish", "promote next"} {
			b.Run(strings.Fields(line)[1]+"-in-"+path, func(b *testing.B) {
				ours, _, registry := sides(b, nil)
				theirs := &side{b: b, dir: ours.dir, env: ours.env}
				ours.write("promote.yaml", "")
				ours.do("git init -q -b main .")
				load := exec.Command("git", "fast-import", "--quiet")
				load.Dir, load.Env = ours.dir, ours.env
				load.Stdin = strings.NewReader(history(map[string]string{
					strings.TrimPrefix(path+"/package.json", "./"): `{"version": "1.4.2"}`,
					"promote.yaml": fmt.Sprintf("services:\n  core: {image: %s/core, version: %s/package.json, path: %s}\n", registry.Addr(), path, path),
				}))
				if out, err := load.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				ours.do("git reset -q --hard main")
				ours.do("git branch last")
				other := "git log v1.4.2..HEAD"
				if path != "." {
					other += " -- " + path
				}
				compare(b, ours, theirs, func(int) {
					ours.timed(line)
					ours.do("git reset -q --hard last")
					theirs.timed(other)
				})
			})
		}
	}
}
