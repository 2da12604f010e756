package foreign

import (
	"encoding/json"
	"strings"
	"testing"
)

// runners take a line of a job's log for a command to them as these do.
var runners = map[string]func(line string) bool{
	"GitHub": func(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "::") }, // ActionCommand.TryParseV2
	"GitHub before, Azure, TeamCity": func(line string) bool { // ActionCommand.TryParse, Command.TryParse
		return strings.Contains(line, "##[") || strings.Contains(line, "##vso[") || strings.Contains(line, "##teamcity[")
	},
}

func obeyed(text string) bool {
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		// .NET compares without characters that have no width
		line = strings.NewReplacer("\u200b", "", "\u00ad", "", "\ufeff", "").Replace(line)
		for _, takes := range runners {
			if takes(line) {
				return true
			}
		}
	}
	return false
}

var commands = []string{
	"##[set-output name=version;]v6.6.6", "done ##[error]forged", "##vso[task.setvariable variable=PATH]/tmp/evil", "##teamcity[buildStop]",
	"::set-output name=version::v6.6.6", "  ::add-mask::x", "a\n::warning::x", "a\r::warning::x", "\u00a0\u2003::x::", "\u0085::x::", "\n\n\t::x::\n::y::", "###[x", "##[##[x",
}

func TestBreakCommands(t *testing.T) {
	for _, text := range commands {
		if !obeyed(text) {
			t.Errorf("%q is no command to begin with", text)
		}
		if broken := BreakCommands(text); obeyed(broken) {
			t.Errorf("%q became %q", text, broken)
		}
		var log strings.Builder
		w := LogWriter(&log)
		for _, b := range []byte(text + "\n") {
			if _, err := w.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if obeyed(log.String()) || len(log.String()) <= len(text) {
			t.Errorf("%q was logged as %q", text, log.String())
		}
	}
	for _, text := range []string{"", "## v1.5.0 [link](x)", "a ## b [c]", "std::vector", "core: v1 :: v2", "#[x]", "12:30", "- x\n- y"} {
		if got := BreakCommands(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestBreakJSONCommands(t *testing.T) {
	for _, text := range commands {
		line, err := json.Marshal([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		var back []string
		broken := BreakJSONCommands(line)
		if err := json.Unmarshal(broken, &back); err != nil || back[0] != text || obeyed(string(broken)) {
			t.Errorf("%s became %s, %v", line, broken, err)
		}
	}
}

func TestBreakMentions(t *testing.T) {
	for text, want := range map[string]string{
		"@ada": "@\u200bada", "by @ada, @org/team": "by @\u200bada, @\u200borg/team", "(@here)": "(@\u200bhere)", "@@ada": "@\u200b@\u200bada",
		"ada@laptop": "ada@laptop", "é@x": "é@x", "": "",
	} {
		if got := BreakMentions(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestIsSteering(t *testing.T) {
	for _, r := range "\x00\x1b\n\r\u0085\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028\u2029" {
		if !IsSteering(r) {
			t.Errorf("%U is shown", r)
		}
	}
	for _, r := range "a é→\u200b\u200d🚀�" {
		if IsSteering(r) {
			t.Errorf("%U is not shown", r)
		}
	}
}
