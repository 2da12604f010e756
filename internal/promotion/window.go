package promotion

import "time"

// Window is a time of the day or of the week in which nothing is deployed, by the clock on the wall: it
// begins and ends at the same hour in summer and in winter.
type Window struct {
	Text     string        // as written
	From, To time.Duration // since Sunday 00:00, or since midnight if it is for every day
	Weekly   bool
	Zone     *time.Location
}

// Until reports whether a moment lies in the window, and when that ends.
func (w Window) Until(now time.Time) (end time.Time, in bool) {
	local := now.In(w.Zone)
	year, month, date := local.Date()
	const day = 24 * time.Hour
	length, since := day, time.Duration(local.Hour())*time.Hour+time.Duration(local.Minute())*time.Minute+time.Duration(local.Second())*time.Second
	if w.Weekly {
		length, since = 7*day, since+time.Duration(local.Weekday())*day
		date -= int(local.Weekday())
	}
	if w.From < w.To {
		in = w.From <= since && since < w.To
	} else {
		in = w.From <= since || since < w.To
	}
	if !in {
		return time.Time{}, false
	}
	to := w.To
	if to <= since {
		to += length
	}
	return time.Date(year, month, date+int(to/day), int(to%day/time.Hour), int(to%time.Hour/time.Minute), 0, 0, w.Zone), true
}
