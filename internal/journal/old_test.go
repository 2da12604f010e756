package journal_test

import (
	"os"
	"strings"
	"testing"

	"promote/internal/journal"
)

// TestOld: the last ones of each environment stay, and whatever can still be resumed.
func TestOld(t *testing.T) {
	j := journal.Open(t.TempDir())
	write := func(environment, id, outcome string) {
		t.Helper()
		if err := j.Deployment(id).Make(); err != nil {
			t.Fatal(err)
		}
		for _, event := range []string{journal.Begun, journal.Ended} {
			e := entry(event, id)
			if e.Outcome = outcome; outcome == "" && event == journal.Ended || environment == "" {
				continue
			}
			if err := j.Of(environment).Append(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if old, err := j.Old(2); err != nil || old != nil {
		t.Fatalf("where nothing was deployed yet: %v %v", old, err)
	}
	write("prod", "01", "")         // never ended
	write("prod", "02", "stuck")    // and settled by what came later
	write("staging", "03", "done")  // the last but one of staging
	write("prod", "04", "done")     //
	write("", "05", "")             // never began
	write("staging", "06", "stuck") // can be tried again
	write("prod", "07", "restored") //
	write("prod", "08", "failed")   //
	write("staging", "09", "failed")
	write("", "10", "")
	write("", "11", "")
	for keep, want := range map[int]string{2: "02 03 04 05", 1: "02 03 04 05 07 10", 4: ""} {
		old, err := j.Of("prod").Old(keep)
		if got := strings.Join(old, " "); err != nil || got != want {
			t.Errorf("keeping %d: %s, %v; want %s", keep, got, err, want)
		}
	}
	if err := j.Deployment("02").Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(j.Deployment("02").Path("before")); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}
