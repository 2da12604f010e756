package config

import "testing"

// TestRefusals: a key that can't be carried out yet is checked, and refused with its place.
func TestRefusals(t *testing.T) {
	const file = "services: {core: {image: aegee/core}}\nssh: {command: ssh}\nnotify: [{webhook: x}]\n"
	_, err := parse("f", []byte(file), variables(), refusals{"config.ssh": "ssh", "notify.webhook": "webhook"})
	const want = "f:2:1: ssh is not supported yet\nf:3:20: webhook: expected an http or https URL"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestRefusedKeys keeps the table honest: each line is about a key that exists.
func TestRefusedKeys(t *testing.T) {
	ids := map[string]bool{}
	for _, l := range configKeys.lines("") {
		ids[l.id] = true
	}
	for id := range notYet {
		if !ids[id] {
			t.Errorf("%s is no key", id)
		}
	}
}
