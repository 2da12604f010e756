package cli

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"promote/examples"
	"promote/registry"
)

func (p *program) demoCommand() *cli.Command {
	c := p.command(entry{
		name: "demo", usage: "show the main job in a throw-away playground: needs Docker with Compose, and git",
		examples: []string{"promote demo", "promote demo --keep  leave the playground for exploring"},
		flags:    []cli.Flag{&cli.BoolFlag{DisableDefaultText: true, Name: "keep", Usage: "leave the playground and what runs in it, until Ctrl-C"}},
		run:      p.demo,
	})
	c.Subcommands, c.HideHelpCommand, c.CustomHelpTemplate = []*cli.Command{p.demoWebCommand()}, true, commandHelp
	return c
}

// playground is everything that the demo makes: a folder, a registry in this process, two compose
// projects.
type playground struct {
	*program
	dir     string
	project string // prefix of the compose projects
	address string // of the registry
	server  *http.Server
	environ []string
}

func (p *program) demo(ctx context.Context, c *cli.Context) (err error) {
	engine, err := p.engine(ctx)
	if err != nil {
		return err
	}
	engine.Close()
	pg, err := p.playground()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.remove(context.WithoutCancel(ctx))) }()
	if err := pg.set(ctx); err != nil {
		return err
	}
	if err := pg.play(ctx, scenes); err != nil {
		return err
	}
	if c.Bool("keep") {
		pg.invite()
		<-ctx.Done()
	}
	return nil
}

// playground makes the folder and serves the registry.
func (p *program) playground() (*playground, error) {
	dir, err := os.MkdirTemp("", "promote-demo-")
	if err != nil {
		return nil, err
	}
	blobs := filepath.Join(dir, "registry")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err = errors.Join(err, os.Mkdir(blobs, 0o755)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	pg := &playground{program: p, dir: dir, project: filepath.Base(dir), address: listener.Addr().String()}
	pg.project = strings.ToLower(pg.project)
	pg.server = &http.Server{Handler: registry.Serve(blobs, log.New(io.Discard, "", 0))}
	go pg.server.Serve(listener)
	pg.environ = append(slices.Clone(p.environ), "REGISTRY="+pg.address, "PROJECT="+pg.project,
		"GIT_CONFIG_GLOBAL="+filepath.Join(dir, "gitconfig"), "GIT_CONFIG_NOSYSTEM=1")
	return pg, nil
}

// set fills the folder: a repository with a remote, and the program that the service is.
func (pg *playground) set(ctx context.Context) error {
	web := filepath.Join(pg.dir, "web")
	source, err := fs.Sub(examples.OneService, "one-service")
	if err != nil {
		return err
	}
	if err := os.CopyFS(web, source); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := copyProgram(self, filepath.Join(web, "web")); err != nil {
		return err
	}
	config := "[user]\n\tname = Demo\n\temail = demo@example.org\n[init]\n\tdefaultBranch = main\n"
	if err := os.WriteFile(filepath.Join(pg.dir, "gitconfig"), []byte(config), 0o644); err != nil {
		return err
	}
	for _, line := range []string{
		"git init --quiet --bare ../web.git", "git init --quiet", "git add .", "git commit --quiet --message=First",
		"git remote add origin ../web.git", "git push --quiet --set-upstream origin main",
	} {
		if err := pg.run(ctx, io.Discard, line); err != nil {
			return err
		}
	}
	return nil
}

// copyProgram copies this program to be the only thing in an image: it must be a static Linux program.
func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := runsAlone(in); err != nil {
		return &usage{text: "the demo makes an image of promote itself, and " + err.Error(), hint: "use a release, or build it with CGO_ENABLED=0 on Linux"}
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// runsAlone says what is in the way of a program running in an image that holds nothing else.
func runsAlone(program io.ReaderAt) error {
	binary, err := elf.NewFile(program)
	if err != nil {
		return errors.New("this one is no Linux program")
	}
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("this one needs shared libraries")
		}
	}
	return nil
}

// scene is a few commands with a sentence in front.
type scene struct {
	title    string
	commands []string
	exit     int // what the last command is expected to end with
}

var scenes = []scene{
	{"A repository with a Dockerfile, a package.json at 1.4.2, and the compose files of two environments.",
		[]string{"promote init", "cat promote.yaml", "git add promote.yaml", "git commit --quiet --message=Promote"}, exitDone},
	{"Publish what is there, and put it on both.",
		[]string{"promote publish --quiet", "promote deploy staging", "promote deploy prod"}, exitDone},
	{"A new version: file, commit, image, git tag, latest.",
		[]string{"promote bump minor", "promote deploy staging"}, exitDone},
	{"What would go to production, and there it goes: the digest that staging verified.",
		[]string{"promote diff prod", "promote deploy prod", "git diff -U0 -- prod"}, exitDone},
	{"A release that never gets healthy is put back. Staging serves the old one all the time.",
		[]string{"sed -i s/false/true/ settings.json", "git commit --quiet --all --message=Break", "promote bump patch --quiet", "promote deploy staging"}, exitRestored},
	{"Production shall stay on an exact version for now. Nobody deploys over it by accident.",
		[]string{"promote pin prod v1.4.2 --reason demo", "promote deploy prod"}, exitRefused},
	{"And on again.", []string{"promote unpin prod", "promote deploy prod"}, exitDone},
	{"Something is wrong with it after all: back to the last good one, without an argument or a registry.",
		[]string{"promote rollback prod --reason slow"}, exitDone},
	{"Where everything is, and how it came there.", []string{"promote status", "promote history prod"}, exitDone},
}

// play runs the scenes before the reader's eyes. What is printed is what the commands print.
func (pg *playground) play(ctx context.Context, scenes []scene) error {
	for _, s := range scenes {
		fmt.Fprintf(pg.out, "\n# %s\n", s.title)
		for i, line := range s.commands {
			want := exitDone
			if i == len(s.commands)-1 {
				want = s.exit
			}
			fmt.Fprintf(pg.out, "$ %s\n", line)
			began := time.Now()
			err := pg.run(ctx, pg.out, line)
			if code := commandCode(err); code != want {
				return fmt.Errorf("%s: exit code %d, expected %d: %w", line, code, want, errors.Join(err, ctx.Err()))
			}
			if want != exitDone {
				fmt.Fprintf(pg.out, "(exit code %d, after %.1f s)\n", want, time.Since(began).Seconds())
			}
		}
	}
	return nil
}

// commandCode is the exit code of a command; -1 if it had none.
func commandCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// run runs one line in the repository; `promote` is this program. The lines are our own and have no
// quotes.
func (pg *playground) run(ctx context.Context, out io.Writer, line string) error {
	args := strings.Fields(line)
	if args[0] == "promote" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		args[0] = self
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Dir, cmd.Env = filepath.Join(pg.dir, "web"), pg.environ
	cmd.Stdout, cmd.Stderr = out, pg.err
	return cmd.Run()
}

// invite tells how to explore what is there.
func (pg *playground) invite() {
	fmt.Fprintf(pg.out, "\nThe playground stays until Ctrl-C. In another terminal:\n\n  cd %s/web\n  export REGISTRY=%s PROJECT=%s\n  promote status\n", pg.dir, pg.address, pg.project)
}

// remove takes away what the demo made: containers, networks, images, registry, folder.
func (pg *playground) remove(ctx context.Context) error {
	var failures []error
	for _, env := range []string{"staging", "prod"} {
		failures = append(failures, pg.run(ctx, io.Discard, "docker compose --progress quiet --project-directory "+env+" down --timeout 1 --volumes"))
	}
	images, err := exec.CommandContext(ctx, "docker", "image", "ls", "--quiet", pg.address+"/shop/web").Output()
	failures = append(failures, err)
	if ids := strings.Fields(string(images)); len(ids) > 0 {
		slices.Sort(ids)
		failures = append(failures, pg.run(ctx, io.Discard, "docker image rm --force "+strings.Join(slices.Compact(ids), " ")))
	}
	return errors.Join(errors.Join(failures...), pg.server.Close(), os.RemoveAll(pg.dir))
}
