package notify

import "context"

// Unusable stands for a way that can't be gone: telling by it fails with the error.
type Unusable struct{ Err error }

func (u *Unusable) secrets() []string { return nil }

func (u *Unusable) compose(m Message, _ string) (note, error) { return note{Message: m}, u.Err }

func (u *Unusable) send(context.Context, note) error { return u.Err }
