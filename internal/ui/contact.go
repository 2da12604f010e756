package ui

import "time"

// Contact is, as JSON, that a host was lost while a deployment there was followed, or is there again.
type Contact struct {
	Schema  int     `json:"schema"`
	Contact string  `json:"contact"` // lost or found
	Host    string  `json:"host"`
	Error   string  `json:"error,omitempty"`
	Again   float64 `json:"again,omitempty"` // seconds until the next try
}

// Lost tells that contact with a host is lost, and when it is tried again.
func (s *Screen) Lost(host string, err error, again time.Duration) {
	if s.JSON {
		s.Object(Contact{Schema: 1, Contact: "lost", Host: host, Error: err.Error(), Again: again.Seconds()})
	}
	s.Say("lost contact (%v); the deployment goes on; next try in %s", err, again)
}

// Found tells that a host that was lost is there again.
func (s *Screen) Found(host string) {
	if s.JSON {
		s.Object(Contact{Schema: 1, Contact: "found", Host: host})
	}
	s.Say("%s is there again", host)
}
