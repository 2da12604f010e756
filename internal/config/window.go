package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones, also where a machine has none
)

// Window is a time of the day or of the week in which nothing is deployed.
type Window struct {
	Text     string        // as written
	From, To time.Duration // by the clock on the wall, since Sunday 00:00, or since midnight if it is for every day
	Weekly   bool
	Zone     *time.Location
}

// weekdays are in the order of time.Weekday.
var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

const day = 24 * time.Hour

var windowPattern = regexp.MustCompile(`^(?:([A-Z][a-z]{2}) )?(\d{2}):(\d{2}) ?[–-] ?(?:([A-Z][a-z]{2}) )?(\d{2}):(\d{2})(?: (\S+))?$`)

// parseWindow reads "Fri 15:00 – Mon 08:00 Europe/Brussels" and "22:00 – 06:00"; without a zone it is UTC.
func parseWindow(s string) (Window, error) {
	wrong := fmt.Errorf(`expected a time such as "Fri 15:00 – Mon 08:00 Europe/Brussels" or "22:00 – 06:00", found %q`, shortened(s))
	m := windowPattern.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || (m[1] == "") != (m[4] == "") {
		return Window{}, wrong
	}
	w := Window{Text: s, Weekly: m[1] != ""}
	var ok, right bool
	w.From, ok = wallClock(m[1], m[2], m[3])
	w.To, right = wallClock(m[4], m[5], m[6])
	if !ok || !right || w.From == w.To {
		return Window{}, wrong
	}
	var err error
	if w.Zone, err = time.LoadLocation(m[7]); err != nil || m[7] == "Local" {
		return Window{}, fmt.Errorf("unknown time zone %q; one is Europe/Brussels", shortened(m[7]))
	}
	return w, nil
}

// wallClock is a day and a time of it as what has passed since Sunday 00:00; no day is Sunday.
func wallClock(name, hour, minute string) (time.Duration, bool) {
	weekday := max(0, slices.Index(weekdays, name))
	h, errHour := strconv.Atoi(hour)
	m, errMinute := strconv.Atoi(minute)
	known := name == "" || slices.Contains(weekdays, name)
	within := h < 24 && m < 60 || h == 24 && m == 0
	return time.Duration(weekday)*day + time.Duration(h)*time.Hour + time.Duration(m)*time.Minute, known && within && errHour == nil && errMinute == nil
}

var window = parsed("a time such as Fri 15:00 – Mon 08:00 Europe/Brussels", textSchema, parseWindow)
