// Package ui is everything that promote shows and asks: text for people, JSON for programs, progress,
// errors with hints.
//
// The rules of its voice: stdout is the answer, stderr the conversation. An error is one line, lower
// case, without a full stop, and a hint below it is a command to paste. Colour only helps what the
// words say already, and is only used on a terminal. Whatever comes from outside (log lines, names,
// reasons) is shown with its control characters escaped, and says nothing to the runner of a CI job.
package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"

	"promote/internal/foreign"
)

// Screen is where a command shows what it does.
type Screen struct {
	Out, Err io.Writer
	JSON     bool // one object on stdout, or one a line
	Quiet    bool // nothing on stderr but errors
	Colour   bool
	Live     bool // stderr is a terminal: progress is redrawn in place
	Width    int  // columns of that terminal
	CI       CI   // what is left there besides
}

// New looks at the streams. noColour is the user's wish not to see any (NO_COLOR, TERM=dumb).
func New(out, err io.Writer, noColour bool) *Screen {
	s := &Screen{Out: out, Err: err, Width: 80}
	if f, ok := err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.Live, s.Colour = true, !noColour
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			s.Width = width
		}
	}
	return s
}

// Say tells something that is worth knowing but is not the answer, on one line.
func (s *Screen) Say(format string, args ...any) {
	if !s.Quiet && !s.JSON {
		fmt.Fprintln(s.Err, oneLine(fmt.Sprintf(format, args...)))
	}
}

// Answer prints a line of the answer of a command that is text.
func (s *Screen) Answer(format string, args ...any) {
	fmt.Fprintln(s.Out, oneLine(fmt.Sprintf(format, args...)))
}

// Text prints lines of the answer as they are, but for what would steer the terminal.
func (s *Screen) Text(text string) {
	fmt.Fprintln(s.Out, strings.TrimRight(Clean(strings.ReplaceAll(text, "\r\n", "\n")), "\n"))
}

// Object prints an answer as one line of JSON, in which the runner of a CI job finds no command to it.
func (s *Screen) Object(v any) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := s.Out.Write(foreign.BreakJSONCommands(line.Bytes()))
	return err
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	faint  = "2"
	bold   = "1"
)

// paint colours text for stderr.
func (s *Screen) paint(colour, text string) string {
	if !s.Colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// Clean is foreign text as it may be shown: its control characters are replaced, so that a log line or a name can't
// move the cursor or change what was printed before; what turns the direction of text is shown as its number; and
// the runner of a CI job finds no command to it. Line breaks and tabs stay.
func Clean(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t' || !foreign.IsSteering(r):
			b.WriteRune(r)
		case unicode.IsControl(r):
			b.WriteRune('�')
		default:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	return foreign.BreakCommands(b.String())
}

// oneLine is foreign text that has to stay on one line, in a table or behind a label.
func oneLine(text string) string {
	return Clean(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " "))
}
