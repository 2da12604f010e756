package main

import (
	"regexp"
	"strings"
)

// listed are the refusals that the design allows (where a service's version is written, case by case).
var listed = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`^it has no image$`), "without an image"},
	{regexp.MustCompile(`^\S+ is set nowhere$`), "a variable that is set nowhere"},
	{regexp.MustCompile(`this place also decides the version of`), "a place of several services, not all in the plan"},
	{regexp.MustCompile(`the tag is put together from several parts`), "a tag of several parts"},
	{regexp.MustCompile(`a variable's default holds another variable`), "a nested variable"},
	{regexp.MustCompile(`the image uses a variable in a form that`), "a variable in another form, such as :+"},
	{regexp.MustCompile(`the image has \$\$ in it`), "$$ in the image"},
	{regexp.MustCompile(`not written plainly on one line`), "a block, folded, multi-line or escaped scalar"},
	{regexp.MustCompile(`its image is not a string`), "a null image"},
	{regexp.MustCompile(`^!\S+ changes how files are merged`), "!reset or !override"},
	{regexp.MustCompile(`the file holds several documents`), "several documents"},
	{regexp.MustCompile(`comes from \S+, outside the project directory`), "extends or include from outside the project directory"},
	{regexp.MustCompile(`is set more than once|is not a plain value|is set in the environment|is set in the env file of an include`), "a variable that is not set once, plainly, in the last env file"},
	{regexp.MustCompile(`^with (it|the change), `), "more than the planned images would change"},
	// Not in so many words, but nothing else may change.
	{regexp.MustCompile(`is also in its environment|is also its (env_file|label_file)|its env_file \S+ uses`), "a container outside the plan would get the variable"},
}

// nameOf groups refusals; one that the design does not list is told as it is.
func nameOf(reason string) (name string, allowed bool) {
	for _, l := range listed {
		if l.pattern.MatchString(reason) {
			return l.name, true
		}
	}
	return reason, false
}

// unloadable says why a project could not be loaded, in words that group: by package compose, by
// compose-go alone, or by both.
func (t *tree) unloadable(ours, composeGo error) string {
	switch {
	case composeGo == nil:
		return "only package compose: " + t.grouped(ours)
	case ours == nil:
		return "only compose-go: " + t.grouped(composeGo)
	}
	return t.grouped(composeGo)
}

// most are what most errors of compose-go say, once for every place.
var most = regexp.MustCompile(`required variable \S+ is missing a value|invalid interpolation format|missing unit in duration`)

// names are the parts of an error that differ from file to file.
var names = regexp.MustCompile(`"[^"]*"|'[^']*'|(services|volumes|networks|configs|secrets)\.\S+|\d+|\S*/\S+|required variable \S+`)

func (t *tree) grouped(err error) string {
	text := strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), t.root, "")), " ")
	if found := most.FindString(text); found != "" {
		text = found
	}
	return names.ReplaceAllString(text, "…")
}
