package bed

import (
	"testing"
)

// Env returns a complete environment for running promote, docker or git in a test: the bed's engine
// and compose, an empty home folder, a git identity, and nothing of the caller's but PATH.
func Env(t testing.TB) []string {
	t.Helper()
	return environment(Engine(t), Compose(t), t.TempDir())
}

func environment(engine *EngineHandle, config, home string) []string {
	return []string{
		"PATH=" + path(),
		"HOME=" + home,
		"DOCKER_HOST=" + engine.Host(),
		"DOCKER_CONFIG=" + config,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org",
		"LANG=C.UTF-8",
		"TZ=UTC",
	}
}
