package ui

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNotConfirmed is an answer that was not yes.
var ErrNotConfirmed = errors.New("not confirmed, nothing was done")

// Ask asks a question on stderr and compares the answer. word is what has to be typed: "y", or the
// name of an environment that wants it.
func (s *Screen) Ask(in io.Reader, question, word string) error {
	fmt.Fprintf(s.Err, "%s ", Clean(question))
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && answer == "" {
		return ErrNotConfirmed
	}
	answer = strings.TrimSpace(answer)
	if answer == word || word == "y" && strings.EqualFold(answer, "yes") {
		return nil
	}
	return ErrNotConfirmed
}
