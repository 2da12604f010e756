package rollout

import "testing"

func TestLoginKills(t *testing.T) {
	for settings, want := range map[string]bool{
		"b true\nas 1 \"root\"\nas 0\n":                      true,
		"b false\nas 1 \"root\"\nas 0\n":                     false,
		"b true\nas 2 \"root\" \"deploy\"\nas 0\n":           false,
		"b true\nas 1 \"root\"\nas 1 \"guest\"\n":            false,
		"b true\nas 1 \"root\"\nas 2 \"guest\" \"deploy\"\n": true,
		"": false,
	} {
		if killsProcesses(settings, "deploy") != want {
			t.Errorf("%q: got %v", settings, !want)
		}
	}
	for groups, want := range map[string]bool{
		"0::/user.slice/user-1000.slice/session-3.scope\n":                   true,
		"1:name=systemd:/user.slice/user-0.slice/session-c1.scope\n0::/\n":   true,
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope": false,
		"0::/system.slice/ssh.service\n":                                     false,
	} {
		if sessionScope.MatchString(groups) != want {
			t.Errorf("%q: got %v", groups, !want)
		}
	}
}
