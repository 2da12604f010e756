package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals is what Ctrl-C, and the SIGTERM that CI sends, mean. Before a deployment begins: end, with
// nothing done. While one is followed: the first asks it to stop and put everything back, the second
// only stops following.
type signals struct {
	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	stop   chan struct{} // while a deployment is followed
}

func catch() *signals {
	ctx, cancel := context.WithCancel(context.Background())
	s := &signals{ctx: ctx, cancel: cancel}
	channel := make(chan os.Signal, 4)
	signal.Notify(channel, os.Interrupt, syscall.SIGTERM) // for good: one that comes when all is done changes nothing
	go func() {
		for range channel {
			s.received()
		}
	}()
	return s
}

func (s *signals) received() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		s.cancel()
		return
	}
	close(s.stop)
	s.stop = nil
}

// following says that a deployment is followed from here on, and returns what is closed when it
// should stop.
func (s *signals) following() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = make(chan struct{})
	return s.stop
}
