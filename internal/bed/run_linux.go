package bed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"
)

// runCommand starts what a command may need, runs it and returns its exit code.
func runCommand(args []string) (int, error) {
	env, err := runEnv()
	if err != nil {
		return 0, err
	}
	if len(args) == 0 {
		args = []string{"/bin/bash"}
	}
	program, err := exec.LookPath(args[0])
	if err != nil {
		return 0, err
	}
	cmd := &exec.Cmd{Path: program, Args: args, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	// In a group of its own, ctrl-C reaches the command once: from the terminal, not from us as well.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Foreground: term.IsTerminal(int(os.Stdin.Fd()))}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, forwarded...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go forward(signals, cmd.Process)
	if err := cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		return 0, err
	}
	return exitCode(cmd.ProcessState), nil
}

func runEnv() ([]string, error) {
	engine, err := engineOnce()
	if err != nil {
		return nil, err
	}
	registry, err := startRegistry(loopback, filepath.Join(root(), "registry"), "", "")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(root(), "docker-config")
	if err := installCompose(config); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "bed: engine at %s, registry at %s\n", engine.Host(), registry.Addr())
	return append(os.Environ(),
		"PATH="+path(),
		"DOCKER_HOST="+engine.Host(),
		"DOCKER_CONFIG="+config,
		"REGISTRY="+registry.Addr(),
	), nil
}
