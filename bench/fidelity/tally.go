package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

// tally is the result: counts by variant.
type tally struct {
	sync.Mutex
	variants map[string]*counts
	began    time.Time
	done     int
	told     time.Time // when progress was last said
}

// tryAll tries all repositories, as many at once as there are processors.
func tryAll(ctx context.Context, list []repository, progress io.Writer) (*tally, error) {
	now := time.Now()
	t := &tally{variants: map[string]*counts{}, began: now, told: now}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, r := range list {
		group.Go(func() error {
			if err := t.tryRepository(ctx, r); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			t.tell(progress, len(list))
			return nil
		})
	}
	return t, group.Wait()
}

func (t *tally) tryRepository(ctx context.Context, r repository) (err error) {
	planted, err := plant(r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, planted.remove()) }()
	plain := map[string]*view{}
	for _, tr := range trials(r) {
		a, err := planted.try(ctx, tr, plain)
		if err != nil {
			return err
		}
		t.add(a)
	}
	return ctx.Err()
}

func (t *tally) add(a attempt) {
	t.Lock()
	defer t.Unlock()
	if t.variants[a.variant] == nil {
		t.variants[a.variant] = newCounts(a.variant)
	}
	t.variants[a.variant].add(a)
}

// tell says every few seconds how far it is.
func (t *tally) tell(progress io.Writer, repositories int) {
	t.Lock()
	defer t.Unlock()
	t.done++
	if time.Since(t.told) < 3*time.Second {
		return
	}
	t.told = time.Now()
	sum := t.sum()
	fmt.Fprintf(progress, "%3.0f s: %d of %d repositories, %d edits, %d wrong\n",
		time.Since(t.began).Seconds(), t.done, repositories, sum.edits(), sum.Wrong)
}

// sum is that of all variants.
func (t *tally) sum() *counts {
	sum := newCounts("all")
	for _, c := range t.sorted() {
		sum.plus(c)
	}
	return sum
}

// verdict is an error if an edit is wrong.
func (t *tally) verdict() error {
	if n := t.sum().Wrong; n > 0 {
		return fmt.Errorf("%d edits are wrong", n)
	}
	return nil
}

// sorted are the variants: forms as they are listed, then the others by name.
func (t *tally) sorted() []*counts {
	order := func(c *counts) int {
		if i := slices.IndexFunc(forms, func(f form) bool { return f.name == c.Name }); i >= 0 {
			return i
		}
		return len(forms)
	}
	return slices.SortedFunc(maps.Values(t.variants), func(a, b *counts) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(b.Name, a.Name))
	})
}

func (t *tally) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Seconds  float64   `json:"seconds"`
		Variants []*counts `json:"variants"`
		All      *counts   `json:"all"`
	}{time.Since(t.began).Seconds(), t.sorted(), t.sum()})
}

// writeTable writes a line for each variant, then the reasons.
func (t *tally) writeTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "projects\tnot loaded\tother\tedits\trefused\tmade\texact\twrong\t  variant")
	sum := t.sum()
	for _, c := range append(t.sorted(), sum) {
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%d\t%d\t%s\t%d\t  %s\n", c.Projects, c.NotLoaded, c.Other, c.edits(), c.Refused, c.Exact+c.Wrong, c.share(), c.Wrong, c.Name)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	writeReasons(w, "refused", sum.Reasons)
	writeReasons(w, "not loaded", sum.Unloadable)
	for _, f := range sum.Findings {
		fmt.Fprintf(w, "%s: %s: service %s to %s: %s\n", f.Variant, f.Project, f.Service, f.Kind, f.Reason)
	}
	_, err := fmt.Fprintf(w, "\nwrong %d, exact %s of what was not refused, refused for other reasons than the design's %d, in %.0f s\n",
		sum.Wrong, sum.share(), sum.Unlisted, time.Since(t.began).Seconds())
	return err
}

// writeReasons writes how often each occurred, the most frequent first.
func writeReasons(w io.Writer, title string, reasons map[string]int) {
	fmt.Fprintf(w, "\n%s:\n", title)
	for _, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), strings.Compare(a, b))
	}) {
		fmt.Fprintf(w, "%8d  %s\n", reasons[reason], reason)
	}
}
