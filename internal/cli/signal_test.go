package cli

import (
	"syscall"
	"testing"
)

// TestSignals: before anything began a signal ends the program; while a deployment is followed the
// first asks to stop and the second stops following.
func TestSignals(t *testing.T) {
	idle := catch()
	defer idle.release()
	idle.channel <- syscall.SIGTERM
	<-idle.ctx.Done()

	s := catch()
	defer s.release()
	stop := s.following()
	s.channel <- syscall.SIGINT
	<-stop
	if s.ctx.Err() != nil {
		t.Error("the first signal stopped following, too")
	}
	s.channel <- syscall.SIGINT
	<-s.ctx.Done()
}
