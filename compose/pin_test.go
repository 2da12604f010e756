package compose_test

import (
	"encoding/json"
	"strings"
	"testing"

	"promote/compose"
)

func TestParsePin(t *testing.T) {
	tests := []struct {
		text string
		want compose.Pin
		bad  bool
	}{
		{"", compose.Pin{}, false},
		{"v1.4.2", compose.Pin{Tag: "v1.4.2"}, false},
		{"v1.4.2@" + digestA, compose.Pin{Tag: "v1.4.2", Digest: digestA}, false},
		{"@" + digestA, compose.Pin{Digest: digestA}, false},
		{"@sha512:" + strings.Repeat("0", 128), compose.Pin{Digest: "sha512:" + strings.Repeat("0", 128)}, false},
		{strings.Repeat("x", 128), compose.Pin{Tag: strings.Repeat("x", 128)}, false},
		{strings.Repeat("x", 129), compose.Pin{}, true},
		{"v1@", compose.Pin{}, true},
		{"v1@sha256:abcd", compose.Pin{}, true},
		{"v1@SHA256:" + strings.Repeat("a", 64), compose.Pin{}, true},
		{"v1+build", compose.Pin{}, true},
		{"-v1", compose.Pin{}, true},
		{"v1 ", compose.Pin{}, true},
		{"v1\n", compose.Pin{}, true},
		{"${TAG}", compose.Pin{}, true},
		{"a:b", compose.Pin{}, true},
	}
	for _, test := range tests {
		got, err := compose.ParsePin(test.text)
		if (err != nil) != test.bad || got != test.want {
			t.Errorf("%q: got %+v, %v", test.text, got, err)
		}
		if err == nil && got.String() != test.text {
			t.Errorf("%q comes back as %q", test.text, got)
		}
	}
}

func TestPinIsAStringInJSON(t *testing.T) {
	change := compose.Change{Service: "core", To: compose.Pin{Tag: "v1", Digest: digestA}}
	data, err := json.Marshal(change)
	if want := `{"service":"core","from":"","to":"v1@` + digestA + `"}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v", data, err)
	}
	var back compose.Change
	if err := json.Unmarshal(data, &back); err != nil || back != change {
		t.Errorf("came back as %+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"to":"a b"}`), &back); err == nil {
		t.Error("a pin with a space was taken")
	}
}
