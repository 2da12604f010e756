package cli

import "testing"

// TestSignals: before anything began a signal ends the program; while a deployment is followed the
// first asks to stop and the second stops following.
func TestSignals(t *testing.T) {
	idle := catch()
	idle.received()
	<-idle.ctx.Done()

	s := catch()
	stop := s.following()
	s.received()
	<-stop
	if s.ctx.Err() != nil {
		t.Error("the first signal stopped following, too")
	}
	s.received()
	<-s.ctx.Done()
}
