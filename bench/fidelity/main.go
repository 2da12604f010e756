// Command fidelity makes every possible edit in a folder of compose files that strangers wrote, and says
// whether each was exact:
//
//	go run ./bench/fidelity [-json] DIR
//
// An edit takes one service, and those that share its place, to another tag, to a tag with a digest, or
// to another digest where a digest stands alone, and back; another takes all services at once. Each is
// made in every way of writing the file down (CRLF, a byte order mark, JSON, ...), and in whole projects
// of several files. What package compose gives is judged by an oracle that shares no code with it:
//
//   - the bytes differ in one span, which holds the pin and nothing else;
//   - the file, decoded, differs in the planned images only;
//   - so does the project as compose-go loads it, before and after;
//   - going back gives the original bytes.
//
// Where a file is only written in another way, the latter two are judged of all services at once, each
// with a version of its own, and one by one only if something is wrong then.
//
// An INDEX.tsv in the folder tells where the files lay in the repositories that they come from (columns
// file and path); without one they lie where they are, and each folder is a repository.
//
// Anything wrong makes it exit with 1.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"runtime/debug"

	"github.com/sirupsen/logrus"
)

func main() {
	log.SetFlags(0)
	logrus.SetOutput(io.Discard) // compose-go's warnings are about the strangers' files
	debug.SetGCPercent(-1)       // loading makes much garbage, and little is kept
	debug.SetMemoryLimit(1 << 30)
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		log.Fatal(err)
	}
}

// run is the whole program; an error is why it failed, edits that are wrong included.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("fidelity", flag.ContinueOnError)
	flags.SetOutput(stderr)
	asJSON := flags.Bool("json", false, "print JSON")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case flags.NArg() != 1:
		return errors.New("usage: fidelity [-json] DIR")
	}
	repositories, err := readCorpus(flags.Arg(0))
	if err != nil {
		return err
	}
	total, err := tryAll(ctx, repositories, stderr)
	if err != nil {
		return err
	}
	if *asJSON {
		err = total.writeJSON(stdout)
	} else {
		err = total.writeTable(stdout)
	}
	return errors.Join(err, total.verdict())
}
