package bed

// Run runs a command, or a shell if args is empty, in a bed with an engine and a registry, and
// returns its exit code. The command keeps the caller's environment, to which come DOCKER_HOST,
// DOCKER_CONFIG and the registry's address as REGISTRY.
func Run(args []string) int {
	if err := obstacle(); err != nil {
		return failed(err)
	}
	return enter(func() int {
		code, err := runCommand(args)
		if err != nil {
			return failed(err)
		}
		return code
	})
}
