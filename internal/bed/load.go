package bed

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Traffic is a constant stream of requests.
type Traffic struct {
	URL     string
	Rate    int    // requests per second, also while answers are slow or missing
	Method  string // GET if empty
	Body    string
	Timeout time.Duration // of a request, after which it has failed; 10 s if not given
	Fresh   bool          // every request on a connection of its own; else they are kept alive and used again
}

// LoadHandle is traffic that is going on.
type LoadHandle struct {
	attacker *vegeta.Attacker
	begun    time.Time
	done     chan struct{}

	mutex   sync.Mutex
	came    *sync.Cond // there is one more answer
	answers []answer
}

// answer is the end of a request, good or bad.
type answer struct {
	at      time.Time
	version string // first line of the body
	failure string // empty if it succeeded
}

// Load begins traffic and returns when the first request has its answer. It goes on until Stop, or
// the end of the test.
//
//	load := bed.Load(t, bed.Traffic{URL: "http://127.0.0.1:8080/", Rate: 200})
//	... deploy ...
//	if report := load.Stop(); report.Failed > 0 {
//		t.Error(report)
//	}
func Load(t testing.TB, traffic Traffic) *LoadHandle {
	t.Helper()
	traffic.Method = cmp.Or(traffic.Method, "GET")
	traffic.Timeout = cmp.Or(traffic.Timeout, 10*time.Second)
	load := &LoadHandle{begun: time.Now(), done: make(chan struct{}), attacker: vegeta.NewAttacker(
		vegeta.KeepAlive(!traffic.Fresh),
		vegeta.Timeout(traffic.Timeout),
		vegeta.Redirects(vegeta.NoFollow),
		vegeta.Proxy(nil),
	)}
	load.came = sync.NewCond(&load.mutex)
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: traffic.Method, URL: traffic.URL, Body: []byte(traffic.Body)})
	rate := vegeta.Rate{Freq: traffic.Rate, Per: time.Second}
	go load.collect(load.attacker.Attack(target, rate, 0, t.Name()))
	t.Cleanup(func() { load.Stop() })
	load.Wait(1)
	return load
}

func (l *LoadHandle) collect(results <-chan *vegeta.Result) {
	defer close(l.done)
	for result := range results {
		version, _, _ := strings.Cut(string(result.Body), "\n")
		answer := answer{at: result.End(), version: version, failure: result.Error}
		if answer.failure == "" && result.Code/100 != 2 {
			answer.failure = fmt.Sprintf("status %d", result.Code)
		}
		l.mutex.Lock()
		l.answers = append(l.answers, answer)
		l.mutex.Unlock()
		l.came.Broadcast()
	}
}

// Wait waits until n more requests have their answer, or have failed.
func (l *LoadHandle) Wait(n int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for n += len(l.answers); len(l.answers) < n; {
		l.came.Wait()
	}
}

// Stop ends the traffic, waits for the requests that are under way, and reports.
func (l *LoadHandle) Stop() LoadReport {
	ended := time.Now()
	l.attacker.Stop()
	<-l.done
	return report(l.answers, l.begun, ended)
}

// LoadReport is what became of a load.
type LoadReport struct {
	Requests int
	Failed   int           // no answer, or another than 2xx
	Failures []LoadFailure // the first few, in the order of time
	Gap      time.Duration // the longest without a success, from begin to end

	// Versions tells for the first line of each body when it was answered: the last time of the old
	// version and the first time of the new one are where one took over from the other.
	Versions map[string]LoadSpan
}

// LoadFailure is a request that failed.
type LoadFailure struct {
	At    time.Time // when that was known
	Error string
}

// LoadSpan is the time between the first and the last of some answers.
type LoadSpan struct {
	Answers     int
	First, Last time.Time
}

// String tells all of the report in a few lines.
func (r LoadReport) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d of %d requests failed, longest gap %v", r.Failed, r.Requests, r.Gap.Round(time.Millisecond))
	for _, version := range slices.Sorted(maps.Keys(r.Versions)) {
		span := r.Versions[version]
		fmt.Fprintf(&text, "\n  %s: %d answers, %s to %s", version, span.Answers, clock(span.First), clock(span.Last))
	}
	for _, failure := range r.Failures {
		fmt.Fprintf(&text, "\n  %s: %s", clock(failure.At), failure.Error)
	}
	return text.String()
}

func clock(at time.Time) string { return at.Format("15:04:05.000") }

// failuresShown is how many a report holds.
const failuresShown = 5

func report(answers []answer, begun, ended time.Time) LoadReport {
	slices.SortFunc(answers, func(a, b answer) int { return a.at.Compare(b.at) })
	result := LoadReport{Requests: len(answers), Versions: map[string]LoadSpan{}}
	last := begun
	for _, answer := range answers {
		if answer.failure != "" {
			result.fail(answer)
			continue
		}
		result.succeed(answer)
		result.Gap = max(result.Gap, answer.at.Sub(last))
		last = answer.at
	}
	result.Gap = max(result.Gap, ended.Sub(last))
	return result
}

func (r *LoadReport) fail(failed answer) {
	r.Failed++
	if len(r.Failures) < failuresShown {
		r.Failures = append(r.Failures, LoadFailure{At: failed.at, Error: failed.failure})
	}
}

func (r *LoadReport) succeed(good answer) {
	span, known := r.Versions[good.version]
	if !known {
		span.First = good.at
	}
	span.Answers++
	span.Last = good.at
	r.Versions[good.version] = span
}
