// Package foreign makes text that others wrote harmless where it is shown: commit subjects, names, reasons, what
// containers and registries say. What it is shown in differs (a terminal, the log of a CI job, Markdown), and so do
// the functions; who shows text takes those that it needs.
package foreign

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// IsSteering reports whether a character steers what shows the text instead of being shown: it moves the cursor,
// ends the line, or turns the direction of the text around it.
func IsSteering(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

var (
	// bracketCommand is what GitHub's runner (##[…]), Azure's agents (##vso[…]) and TeamCity (##teamcity[…]) look
	// for anywhere in a line of a job's log.
	bracketCommand = regexp.MustCompile(`##([A-Za-z]*)\[`)
	// colonCommand is what GitHub's runner looks for at the start of a line, behind what .NET calls white space.
	colonCommand = regexp.MustCompile(`((?:^|[\n\r])[\x09-\x0d\x20\x{85}\p{Z}]*):(:)`)
)

// BreakCommands keeps the runner of a CI job from taking lines for commands to it, such as one that sets a variable
// of the next steps. A space does it: runners compare texts by rules that overlook characters without a width.
func BreakCommands(text string) string {
	return colonCommand.ReplaceAllString(bracketCommand.ReplaceAllString(text, "## $1["), "$1: $2")
}

// BreakJSONCommands is BreakCommands for a line of JSON, which means the same afterwards.
func BreakJSONCommands(line []byte) []byte {
	return bracketCommand.ReplaceAll(line, []byte(`##$1\u005b`))
}

// noMention stands between the sign and the name. It is not seen.
const noMention = "\u200b"

// BreakMentions keeps a forge or a chat from telling people, or groups of them, that they were mentioned. Addresses
// stay as they are.
func BreakMentions(text string) string {
	var b strings.Builder
	last := ' '
	for _, r := range text {
		b.WriteRune(r)
		if r == '@' && !unicode.IsLetter(last) && !unicode.IsDigit(last) {
			b.WriteString(noMention)
		}
		last = r
	}
	return b.String()
}

// lineWriter is BreakCommands for whole lines of a stream.
type lineWriter struct {
	out  io.Writer
	rest []byte // of a line that has not ended yet
}

// LogWriter writes the lines of a program to the log of a CI job, none of them a command to its runner. A last line
// without an end is not written.
func LogWriter(out io.Writer) io.Writer { return &lineWriter{out: out} }

// Write implements io.Writer.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	end := bytes.LastIndexByte(w.rest, '\n') + 1
	lines := BreakCommands(string(w.rest[:end]))
	w.rest = w.rest[end:]
	if _, err := io.WriteString(w.out, lines); err != nil {
		return 0, err
	}
	return len(p), nil
}
