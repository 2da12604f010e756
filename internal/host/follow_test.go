package host

import (
	"context"
	"errors"
	"os"
	"testing"

	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// TestUnwatched: where a file can't be watched, what is appended to it is seen all the same.
func TestUnwatched(t *testing.T) {
	grown, stop := watchGrowth(t.TempDir() + "/not-there")
	defer stop()
	select {
	case <-grown:
	case <-t.Context().Done():
	}
}

// TestUnseen: that a deployment can't be followed any more does not say that it failed, at either end.
func TestUnseen(t *testing.T) {
	far := toFailure(&unseenError{errors.New("too many open files")}).err("host")
	if !errors.Is(far, ErrDetached) || far.Error() != "host: it can't be followed: too many open files; the deployment goes on" {
		t.Errorf("the client is told %v", far)
	}
}

// TestFollowLost follows a deployment whose last event could not be written, as on a full disk: the
// history knows how it ended. Where it does not either, the worker died.
func TestFollowLost(t *testing.T) {
	const events = `{"seq":1,"status":"note","text":"one"}
{"seq":2,"status":"no{"seq":3,"status":"note","text":"lost with it"}
{"seq":4,"status":"note","text":"four"}
{"seq":5,"stat`
	for name, ended := range map[string]bool{"ended": true, "died": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := journal.Open(dir)
			side := Here(promotion.Target{Project: dir, Environment: "prod"}, "ada", &Local{Open: func(_ context.Context, t promotion.Target) (*rollout.Machine, error) {
				return &rollout.Machine{Target: t, History: j}, nil
			}})
			record := j.Deployment("d1")
			check(t, record.Make())
			check(t, os.WriteFile(record.Path("events.jsonl"), []byte(events), 0o644))
			check(t, j.Append(journal.Entry{Event: journal.Begun, ID: "d1"}))
			if ended {
				check(t, j.Append(journal.Entry{Event: journal.Ended, ID: "d1", Outcome: "restored", Error: "no space"}))
			}
			told := 0
			result, err := side.Follow(context.Background(), "d1", func(rollout.Event) { told++ })
			if told != 2 {
				t.Errorf("told %d events, want the two that are whole", told)
			}
			var died *DiedError
			switch {
			case ended && (err != nil || result.Outcome != rollout.OutcomeRestored || result.Error != "no space"):
				t.Errorf("%+v, %v", result, err)
			case !ended && (!errors.As(err, &died) || died.Hint() != "promote resume prod"):
				t.Errorf("%+v, %v", result, err)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
