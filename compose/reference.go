package compose

import (
	"errors"
	"regexp"
	"strings"
)

// token is a part of an image value: text, or a variable as compose interpolates it.
type token struct {
	span                // in the value
	text         string // of a literal
	variable     string
	hasDefault   bool
	defaultEmpty bool // the default also serves for an empty variable (:-)
	defaultSpan  span
}

var (
	errEscape = errors.New("the image has $$ in it")
	errNested = errors.New("a variable's default holds another variable")
	errForm   = errors.New("the image uses a variable in a form that can't be changed safely")
	errMixed  = errors.New("the tag is put together from several parts")
	errPlain  = errors.New("the image is not a reference")
)

// variableGrammar is $NAME, ${NAME} and ${NAME with an operator and its argument} (Compose
// specification, Interpolation).
var variableGrammar = regexp.MustCompile(`^\$(?:([_A-Za-z][_A-Za-z0-9]*)|\{([_A-Za-z][_A-Za-z0-9]*)(:?[-?+])?([^{}]*)\})`)

// tokens takes an image value apart. Dollars are looked for before any colon: the colon of ${TAG:-x} is
// no separator.
func tokens(value string) ([]token, error) {
	var list []token
	for at := 0; at < len(value); {
		next := strings.IndexByte(value[at:], '$')
		if next != 0 {
			end := len(value)
			if next > 0 {
				end = at + next
			}
			list = append(list, token{span: span{at, end}, text: value[at:end]})
			at = end
			continue
		}
		t, err := variable(value, at)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
		at = t.end
	}
	return list, nil
}

// variable reads the variable that begins at an offset.
func variable(value string, at int) (token, error) {
	if strings.HasPrefix(value[at:], "$$") {
		return token{}, errEscape
	}
	m := variableGrammar.FindStringSubmatchIndex(value[at:])
	if m == nil {
		if strings.Count(value[at:], "${") > 1 {
			return token{}, errNested
		}
		return token{}, errForm
	}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return value[at+m[2*i] : at+m[2*i+1]]
	}
	t := token{span: span{at, at + m[1]}, variable: group(1) + group(2)}
	switch operator := group(3); operator {
	case "", "?", ":?":
		if operator == "" && group(4) != "" {
			return token{}, errForm
		}
	case "-", ":-":
		t.hasDefault, t.defaultEmpty = true, operator == ":-"
		t.defaultSpan = span{at + m[8], at + m[9]}
		if strings.ContainsAny(group(4), "$") {
			return token{}, errNested
		}
	default:
		return token{}, errForm
	}
	return t, nil
}

// hold says what holds the pin of an image value.
type hold struct {
	literal  span   // of the value that is the pin with its separator; empty span: insert there
	variable *token // the variable that holds it instead
	whole    bool   // the variable holds name and pin, not the pin alone
}

// holder finds what holds the pin in an image value.
func holder(value string) (hold, error) {
	list, err := tokens(value)
	if err != nil {
		return hold{}, err
	}
	if len(list) == 0 {
		return hold{}, errPlain
	}
	last := &list[len(list)-1]
	name := 0 // the token that the image's name begins in: after the last slash of the text
	for i, t := range list {
		if strings.Contains(t.text, "/") {
			name = i
		}
	}
	for i := name; i < len(list); i++ {
		from := 0
		if i == name {
			from = strings.LastIndexByte(list[i].text, '/') + 1
		}
		at := strings.IndexAny(list[i].text[from:], ":@")
		if at < 0 {
			continue
		}
		return heldBehind(list, i, from+at)
	}
	if last.variable != "" {
		return hold{variable: last, whole: true}, nil
	}
	return hold{literal: span{last.end, last.end}}, nil
}

// heldBehind is the holder where the text of a token has the separator: what follows must be text
// only, or one variable only.
func heldBehind(list []token, i, at int) (hold, error) {
	separator := list[i].start + at
	rest := list[i].text[at+1:]
	switch {
	case i == len(list)-1:
		return hold{literal: span{separator, list[i].end}}, nil
	case i == len(list)-2 && rest == "" && list[i].text[at] == ':':
		return hold{variable: &list[i+1]}, nil
	}
	return hold{}, errMixed
}
