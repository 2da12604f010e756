package host

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"promote/semver"
)

// What comes over the wire is somebody's word: it gets into commands, paths, environments and histories here. Every
// text of a request has a rule, by the type and the field that it is in; one without a rule is refused, and fails a test.

// textRule says what is wrong with a text; nothing is right.
type textRule func(text string) (wrong string)

// longestDuration is how long anything may be waited for, or watched, while nobody else can deploy.
const longestDuration = 24 * time.Hour

// longestText is how long a command, a path or a sentence may be.
const longestText = 64 << 10 // bytes

var (
	nameGrammar   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`) // as promote.yaml has it for services, environments and tasks
	digestGrammar = regexp.MustCompile(`^[a-z0-9]+:[0-9a-f]{32,128}$`)
	placeGrammar  = regexp.MustCompile(`^(new|here|host|service:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
)

func isText(text string) string {
	switch {
	case len(text) > longestText:
		return fmt.Sprintf("is longer than %d bytes", longestText)
	case strings.ContainsRune(text, 0):
		return "has a NUL byte"
	}
	return ""
}

func isReason(text string) string {
	if len(text) > longestReason {
		return fmt.Sprintf("is longer than %d bytes", longestReason)
	}
	return isText(text)
}

func isPerson(text string) string {
	if len(text) > longestName {
		return fmt.Sprintf("is longer than %d bytes", longestName)
	}
	return isText(text)
}

// matches is a rule for what may also be empty.
func matches(grammar *regexp.Regexp, what string) textRule {
	return func(text string) string {
		if text != "" && (len(text) > longestName || !grammar.MatchString(text)) {
			return "is no " + what
		}
		return ""
	}
}

// isRepository keeps out what a command line, or another place, could take it for.
func isRepository(text string) string {
	if strings.HasPrefix(text, "-") || strings.ContainsAny(text, " \t\r\n\x00") || len(text) > longestName {
		return "is no image"
	}
	return ""
}

func isTag(text string) string {
	if text == "" || semver.ValidTag(text) == nil {
		return ""
	}
	return "is no tag"
}

// isGivenName is for names that other things go by: without one they would be about nothing, or everything.
func isGivenName(text string) string {
	if text == "" {
		return "is no name"
	}
	return isName(text)
}

var (
	isName   = matches(nameGrammar, "name")
	isID     = matches(idGrammar, "deployment")
	isDigest = matches(digestGrammar, "digest")
	isPlace  = matches(placeGrammar, "place for a command")
)

// textRules has the rule of every text in a request, by its type and field. That of a map's keys ends with {}.
var textRules = map[string]textRule{
	"compose.Change.Service": isName, "compose.Update.OnFailure": isName, "compose.Update.Order": isName,

	"host.Job.Credentials": isText, "host.Job.Credentials{}": isRepository, "host.Job.Resume": isID,
	"host.Request.By": isPerson, "host.Request.Credentials": isText, "host.Request.Credentials{}": isRepository,
	"host.Request.Deployment": isID, "host.Request.Do": isName, "host.Request.Kind": isName, "host.Request.Reason": isReason,

	"promotion.Check.Run": isText, "promotion.Check.Service": isName,
	"promotion.Data.Anonymise": isText, "promotion.Data.Dump": isText, "promotion.Data.In": isPlace, "promotion.Data.Load": isText, "promotion.Data.Name": isName,
	"promotion.Front.Service": isName, "promotion.HTTPCheck.Host": isPerson, "promotion.HTTPCheck.Path": isReason,
	"promotion.Mark.By": isPerson, "promotion.Mark.Deployment": isID, "promotion.Mark.Kind": isName, "promotion.Mark.Reason": isReason, "promotion.Mark.Service": isName,
	"promotion.Move.Image": isRepository, "promotion.Move.Service": isName, "promotion.Move.Tasks": isName,
	"promotion.Note.Service": isName, "promotion.Note.Text": isReason,
	"promotion.Plan.Basis": isPerson, "promotion.Plan.By": isPerson, "promotion.Plan.ID": isID, "promotion.Plan.Kind": isName, "promotion.Plan.Reason": isReason,
	"promotion.Proxy.Kind": isName, "promotion.Proxy.Project": isName, "promotion.Proxy.Service": isName,
	"promotion.ProxyCare.AfterGone": isText, "promotion.ProxyCare.AfterHealthy": isText, "promotion.ProxyCare.Drain": isText,
	"promotion.Roll.Attached": isName, "promotion.Roll.File": isText, "promotion.Roll.Service": isName, "promotion.Roll.Strategy": isName, "promotion.Roll.Why": isReason,
	"promotion.Rollout.Strategy": isName,
	"promotion.Service.After":    isName, "promotion.Service.Image": isRepository, "promotion.Service.Name": isGivenName, "promotion.Service.Runs": isGivenName, "promotion.Service.Strategy": isName,
	"promotion.Skip.Reason": isReason, "promotion.Skip.Service": isName, "promotion.Stay.File": isText, "promotion.Stay.Service": isName,
	"promotion.Step.Kind": isName, "promotion.Step.Of": isID, "promotion.Step.Run": isText, "promotion.Step.Service": isName, "promotion.Step.Task": isName,
	"promotion.Target.Compose": isText, "promotion.Target.Engine": isName, "promotion.Target.EnvFiles": isText, "promotion.Target.Environment": isGivenName,
	"promotion.Target.Name": isName, "promotion.Target.Profiles": isName, "promotion.Target.Project": isText,
	"promotion.Task.Changed": isText, "promotion.Task.In": isPlace, "promotion.Task.List": isText, "promotion.Task.Name": isName,
	"promotion.Task.Phase": isName, "promotion.Task.Run": isText, "promotion.Task.Undo": isText,
	"promotion.Transfer.From": isName, "promotion.Transfer.Undo": isID, "promotion.Undoing.Of": isID, "promotion.Undoing.Task": isName,

	"registry.Release.Digest": isDigest, "registry.Release.Platforms": isPerson, "registry.Release.Repository": isRepository,
	"registry.Release.Revision": isPerson, "registry.Release.Source": isReason, "registry.Release.Tag": isTag,

	"rollout.Chunk.Error": isReason, "rollout.Sum.SHA256": isPerson,
}

// checkGrammar looks at every text and every duration of a request, whoever sends it.
func checkGrammar(r *Request) error { return checkValue(reflect.ValueOf(r), "") }

var durationType = reflect.TypeFor[time.Duration]()

// readsItself reports whether values of a type are checked where they are decoded.
func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || p.Implements(reflect.TypeFor[json.Unmarshaler]())
}

func checkValue(v reflect.Value, field string) error {
	if readsItself(v.Type()) {
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		return checkText(v.String(), field)
	case reflect.Pointer:
		if !v.IsNil() {
			return checkValue(v.Elem(), field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := checkValue(v.Index(i), field); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if err := checkValue(key, field+"{}"); err != nil {
				return err
			}
			if err := checkValue(v.MapIndex(key), field); err != nil {
				return err
			}
		}
	case reflect.Struct:
		return checkFields(v)
	}
	if d := v; d.Type() == durationType && (d.Int() < 0 || d.Int() > int64(longestDuration)) {
		return &grammarError{field, time.Duration(d.Int()).String(), fmt.Sprintf("is no time from 0 to %s", longestDuration)}
	}
	return nil
}

func checkFields(v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		if err := checkValue(v.Field(i), v.Type().String()+"."+f.Name); err != nil {
			return err
		}
	}
	return nil
}

func checkText(text, field string) error {
	rule, known := textRules[field]
	if !known {
		return &grammarError{field, text, "has no rule"}
	}
	if wrong := rule(text); wrong != "" {
		return &grammarError{field, text, wrong}
	}
	return nil
}

// grammarError is a text of a request that is not what it has to be.
type grammarError struct{ field, text, wrong string }

func (e *grammarError) Error() string {
	_, field, _ := strings.Cut(e.field, ".")
	shown := e.text
	if len(shown) > 60 {
		shown = shown[:60] + "…"
	}
	return fmt.Sprintf("%s: %q %s", field, shown, e.wrong)
}

// Hint is what is most likely wrong.
func (e *grammarError) Hint() string {
	return "names have letters, digits, and . _ - after the first; a reason has " + fmt.Sprint(longestReason) + " bytes at most"
}
