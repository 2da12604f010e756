package release

import (
	"testing"

	"promote/semver"
)

func TestParseBump(t *testing.T) {
	for typed, want := range map[[2]string]BumpRequest{
		{"auto", ""}:        {Auto: true},
		{"auto", "rc"}:      {Auto: true, Prerelease: "rc"},
		{"minor", ""}:       {Part: semver.Minor},
		{"minor", "beta"}:   {Part: semver.Minor, Prerelease: "beta"},
		{"1.4.2", ""}:       {Exact: version("v1.4.2")},
		{"v2.0.0-rc.1", ""}: {Exact: version("v2.0.0-rc.1")},
	} {
		if got, err := ParseBump(typed[0], typed[1]); got != want || err != nil {
			t.Errorf("%v: %+v %v", typed, got, err)
		}
	}
	for _, typed := range [][2]string{{"", ""}, {"core", ""}, {"1.4", ""}, {"v1.4.2", "rc"}, {"auto", "r c"}} {
		_, err := ParseBump(typed[0], typed[1])
		if hint, ok := err.(interface{ Hint() string }); !ok || hint.Hint() == "" {
			t.Errorf("%v: %v", typed, err)
		}
	}
}
