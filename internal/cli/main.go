// Package cli is the command line: it turns flags into typed options, makes one call, and turns the
// outcome into an exit code. It is the only package that reads the process environment, catches
// signals and decides how the program ends.
package cli

import (
	"errors"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/deploy"
	"promote/internal/docker"
	"promote/internal/ui"
)

// version is set by the linker (make build); without it the module's own is shown.
var version string

// program is one run of promote: its streams, its environment, its signals.
type program struct {
	name     string
	in       io.Reader
	out, err io.Writer
	environ  []string
	screen   *ui.Screen
	signals  *signals
	notices  *notices // of the deployment that this run carries out

	registries  config.Registry     // how they are spoken with, once promote.yaml was read
	connections *deploy.Connections // to hosts, once some were needed

	mu     sync.Mutex
	docker *docker.Engine // this machine's, once it was needed
}

// Main runs promote with args (args[0] is the program's name) and returns its exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	logrus.SetOutput(io.Discard) // compose-go warns there of what docker compose itself will say
	p := &program{name: args[0], in: stdin, out: stdout, err: stderr, environ: os.Environ()}
	noColour := p.env("NO_COLOR") != "" || p.env("TERM") == "dumb"
	p.screen = ui.New(stdout, stderr, noColour)
	p.screen.JSON, p.screen.CI = asksJSON(args), p.ci()
	p.signals = catch()
	defer p.signals.cancel()
	defer p.hangUp()
	err := p.run(args)
	code := exitCode(err)
	if quiet := (*quietError)(nil); err != nil && !errors.As(err, &quiet) {
		p.screen.Error(err, code)
	}
	p.ended(err)
	return code
}

func (p *program) run(args []string) (err error) {
	if isPlugin(args) {
		if len(args) == 2 && args[1] == metadata.MetadataSubcommandName {
			return describePlugin(p.out)
		}
		if args, err = p.asPlugin(args); err != nil {
			return err
		}
	}
	app := p.app()
	return app.RunContext(p.signals.ctx, permute(app, args))
}

// app is the whole command line. It is also what the reference and the completion are made from.
func (p *program) app() *cli.App {
	cli.HelpPrinter = printHelp
	cli.AppHelpTemplate, cli.CommandHelpTemplate = appHelp, commandHelp
	return &cli.App{
		Name: "promote", HelpName: "promote", Version: shownVersion(), HideHelpCommand: true,
		Usage:                "move releases of Docker Compose services from one environment to the next, and back",
		Reader:               p.in,
		Writer:               p.out,
		ErrWriter:            p.err,
		EnableBashCompletion: true,
		Flags:                p.globalFlags(),
		Commands:             p.commands(),
		Before:               p.settle,
		OnUsageError:         usageError,
		ExitErrHandler:       func(*cli.Context, error) {},
		CommandNotFound:      nil,
		Action:               p.unknownCommand,
	}
}

func (p *program) commands() []*cli.Command {
	return []*cli.Command{
		p.initCommand(), p.bumpCommand(), p.nextCommand(), p.changedCommand(), p.notesCommand(), p.publishCommand(), p.recordCommand(), p.versionsCommand(),
		p.deployCommand(), p.diffCommand(), p.pinCommand(), p.unpinCommand(), p.rollbackCommand(), p.runCommand(), p.dataCommand(),
		p.statusCommand(), p.historyCommand(), p.showCommand(), p.verifyCommand(), p.approveCommand(), p.blockCommand(), p.unblockCommand(), p.adoptCommand(),
		p.resumeCommand(), p.attachCommand(), p.abortCommand(), p.lockCommand(), p.unlockCommand(), p.lintCommand(), p.doctorCommand(), p.gcCommand(), p.notifyCommand(),
		p.demoCommand(), p.completionCommand(), p.hostCommand(),
	}
}

func shownVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// env is a variable of the process's environment, the last one set.
func (p *program) env(name string) string {
	value, _ := p.lookup(name)
	return value
}

func (p *program) lookup(name string) (string, bool) {
	for _, pair := range slices.Backward(p.environ) {
		if len(pair) > len(name) && pair[:len(name)] == name && pair[len(name)] == '=' {
			return pair[len(name)+1:], true
		}
	}
	return "", false
}
