package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// The house: which package may import which others of promote. Everything may import the reusable
// packages; beyond that, what is not listed is forbidden.
var (
	reusable = []string{"semver", "compose", "compose/atomicfile", "registry"}

	mayImport = map[string][]string{
		".":                  {"internal/cli"},
		"docs":               {},
		"docs/generate":      {"internal/cli", "internal/config"},
		"bench":              {},
		"examples":           {},
		"semver":             {},
		"compose":            {},
		"compose/atomicfile": {},
		"registry":           {},
		"internal/config":    {},
		"internal/git":       {},
		"internal/foreign":   {},
		"internal/notes":     {"internal/git", "internal/foreign"},
		"internal/docker":    {},
		"internal/notify":    {"internal/foreign"},
		"internal/release":   {"internal/config", "internal/git", "internal/notes", "internal/docker"},
		"internal/journal":   {},
		"internal/promotion": {},
		"internal/lint":      {"internal/promotion"},
		"internal/rollout":   {"internal/promotion", "internal/journal", "internal/docker"},
		"internal/host":      {"internal/rollout", "internal/promotion", "internal/journal"},
		"internal/deploy":    {"internal/config", "internal/git", "internal/host", "internal/journal", "internal/promotion", "internal/release", "internal/rollout"},
		"internal/ui":        {"internal/foreign", "internal/deploy", "internal/lint", "internal/promotion", "internal/rollout", "internal/journal"},
		"internal/board":     {"internal/promotion", "internal/rollout", "internal/journal"},
		"internal/cli":       {"anything"},
		bed:                  {},
	}
)

// bed is test support: every test may import it, and no other code.
const bed = "internal/bed"

// rules are what the house promises. Each looks at one file and says where it is broken.
var rules = []rule{
	{"layers", checkLayers},
	{"reusable packages stand alone", checkReusable},
	{"bed is for tests", checkBed},
	{"short functions", checkLength},
	{"only cli touches the process", checkProcess},
	{"only host runs ssh", checkSSH},
	{"only docker talks to Docker", checkDocker},
	{"nothing sleeps", checkSleep},
	{"exported means documented", checkDocumented},
}

type rule struct {
	name  string
	check func(*source) []violation
}

type violation struct {
	at      token.Pos
	message string
}

func TestHouse(t *testing.T) {
	sources, err := load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, broken := range breaks(sources, rule) {
				t.Error(broken)
			}
		})
	}
}

// TestRules breaks every rule once, and comes close without breaking it.
func TestRules(t *testing.T) {
	tests := []struct{ rule, file, code, want string }{
		{"layers", "internal/promotion/a.go", `import "promote/internal/journal"`,
			"internal/promotion/a.go:2: internal/promotion must not import internal/journal"},
		{"layers", "internal/rollout/a_test.go", `import "promote/internal/host"`, "must not import internal/host"},
		{"layers", "internal/new/a.go", `import "fmt"`, "internal/new is not in the table"},
		{"layers", "internal/rollout/a.go", `import "promote/internal/journal"; import "promote/semver"`, ""},
		{"layers", "internal/rollout/sub/a.go", `import "promote/internal/journal"; import "promote/internal/rollout"`, ""},
		{"layers", "internal/journal/a_test.go", `import "promote/internal/bed"; import "promote/internal/journal"`, ""},
		{"layers", "internal/release/a.go", `import "promote/internal/ui"`, "must not import internal/ui"},
		{"layers", "internal/cli/a.go", `import "promote/internal/board"`, ""},
		{"reusable packages stand alone", "semver/a.go", `import "promote/internal/git"`, "semver must not import internal/git"},
		{"reusable packages stand alone", "compose/a.go", `import "promote/semver"`, ""},
		{"bed is for tests", "internal/host/a.go", `import "promote/internal/bed"`, "internal/bed is for tests"},
		{"bed is for tests", "internal/host/a_test.go", `import "promote/internal/bed"`, ""},
		{"short functions", "semver/a.go", "func f() {" + strings.Repeat("\n", 45) + "}", "f has 46 lines"},
		{"short functions", "semver/a.go", "func f() {" + strings.Repeat("\n", 44) + "}", ""},
		{"short functions", "semver/a_test.go", "func f() {" + strings.Repeat("\n", 60) + "}", ""},
		{"only cli touches the process", "internal/ui/a.go", `import "os"; var a = os.Getenv("A")`, "os.Getenv"},
		{"only cli touches the process", "internal/ui/a.go", `import sys "os"; func f() { sys.Exit(1) }`, "os.Exit"},
		{"only cli touches the process", "semver/a.go", `import "os/signal"; func f() { signal.Notify(nil) }`, "os/signal.Notify"},
		{"only cli touches the process", "internal/ui/a.go", `import "os"; var a = os.Expand("", os.Getenv)`, "os.Getenv"},
		{"only cli touches the process", "internal/cli/a.go", `import "os"; var a = os.Getenv("A")`, ""},
		{"only cli touches the process", "internal/ui/a.go", `import "os"; var a = os.Args; var b = c.Environ()`, ""},
		{"only host runs ssh", "internal/git/a.go", `import "os/exec"; var a = exec.Command("ssh", "h")`, "runs ssh"},
		{"only host runs ssh", "internal/git/a.go", `import "os/exec"; var a = exec.Command("sh", "-c", "exec ssh h")`, "runs ssh"},
		{"only host runs ssh", "internal/git/a.go", `import "golang.org/x/crypto/ssh"`, "imports an ssh client"},
		{"only host runs ssh", "internal/host/a.go", `import "os/exec"; var a = exec.Command("ssh", "h")`, ""},
		{"only host runs ssh", "internal/git/a.go", `import "os/exec"; var a = exec.Command("git", "sshd")`, ""},
		{"only docker talks to Docker", "internal/host/a.go", `import "github.com/docker/docker/client"`, "imports github.com/docker/docker/client"},
		{"only docker talks to Docker", "internal/docker/a.go", `import "github.com/docker/docker/client"`, ""},
		{"nothing sleeps", "semver/a_test.go", `import "time"; func f() { time.Sleep(1) }`, "time.Sleep"},
		{"nothing sleeps", "semver/a_test.go", `import "time"; var a = time.Second`, ""},
		{"exported means documented", "semver/a.go", `func F() {}`, "F has no comment"},
		{"exported means documented", "semver/a.go", "type t struct{}\nfunc (t) F() {}\n// G is.\nfunc G() {}", ""},
		{"exported means documented", "semver/a.go", "// E is.\ntype E error\nconst (\nA E = nil\n)\nfunc (E) Error() {}", ""},
		{"exported means documented", "semver/a.go", "func Error() {}", "Error has no comment"},
		{"exported means documented", "semver/a.go", "// T is.\ntype T struct{}\nfunc (*T) F() {}", "F has no comment"},
		{"exported means documented", "semver/a.go", "// Both are.\nconst (\nA = 1\nB = 2\n)\nvar C = 3", "C has no comment"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			content := fmt.Sprintf("package p\n%s\n", test.code)
			sources, err := load(fstest.MapFS{test.file: {Data: []byte(content)}})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(breaks(sources, ruleNamed(t, test.rule)), "\n")
			if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
				t.Errorf("%s with %q: got %q, want %q", test.file, test.code, got, test.want)
			}
		})
	}
}

func TestEveryRuleIsTested(t *testing.T) {
	content, err := os.ReadFile("house_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		if strings.Count(string(content), strconv.Quote(rule.name)) < 3 {
			t.Errorf("rule %q needs a breaking and a passing case in TestRules", rule.name)
		}
	}
}

func ruleNamed(t *testing.T, name string) rule {
	t.Helper()
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == name })
	if i < 0 {
		t.Fatalf("no rule %q", name)
	}
	return rules[i]
}

func breaks(sources []*source, rule rule) []string {
	var lines []string
	for _, source := range sources {
		for _, broken := range rule.check(source) {
			line := source.files.Position(broken.at).Line
			lines = append(lines, fmt.Sprintf("%s:%d: %s", source.path, line, broken.message))
		}
	}
	slices.Sort(lines)
	return lines
}

// source is a parsed Go file of this module.
type source struct {
	path   string // from the root of the module, with slashes
	files  *token.FileSet
	syntax *ast.File
}

// load parses every Go file of the module. Other modules and test data are not part of the house.
func load(tree fs.FS) ([]*source, error) {
	var sources []*source
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && outsideHouse(file):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(file) != ".go":
			return nil
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		syntax, err := parser.ParseFile(files, file, content, parser.ParseComments)
		sources = append(sources, &source{path: file, files: files, syntax: syntax})
		return err
	})
	return sources, err
}

func outsideHouse(dir string) bool {
	name := path.Base(dir)
	return dir != "." && (strings.HasPrefix(name, ".") || name == "testdata" || dir == "tools")
}

func (s *source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// home is the source's entry in the table: its package or, for a package below one, that one.
func (s *source) home() string {
	dir := path.Dir(s.path)
	for at := dir; at != "."; at = path.Dir(at) {
		if _, ok := mayImport[at]; ok {
			return at
		}
	}
	return dir
}

func (s *source) in(packages ...string) bool { return slices.Contains(packages, s.home()) }

// imports maps the paths that the source imports to where it does.
func (s *source) imports() map[string]token.Pos {
	found := map[string]token.Pos{}
	for _, spec := range s.syntax.Imports {
		name, _ := strconv.Unquote(spec.Path.Value) // the parser accepted it
		found[name] = spec.Pos()
	}
	return found
}

// neighbours is imports with only the packages of this module, without the module's name.
func (s *source) neighbours() map[string]token.Pos {
	found := map[string]token.Pos{}
	for name, at := range s.imports() {
		if inner, ok := strings.CutPrefix(name, "promote/"); ok {
			found[inner] = at
		}
	}
	return found
}

// resolve returns a function that turns pkg.Name as the source writes it into "import/path.Name",
// or "" where the expression is something else.
func (s *source) resolve() func(ast.Expr) string {
	names := map[string]string{}
	for _, spec := range s.syntax.Imports {
		target, _ := strconv.Unquote(spec.Path.Value) // the parser accepted it
		names[path.Base(target)] = target
		if spec.Name != nil {
			names[spec.Name.Name] = target
		}
	}
	return func(expression ast.Expr) string {
		selector, ok := expression.(*ast.SelectorExpr)
		if !ok {
			return ""
		}
		owner, ok := selector.X.(*ast.Ident)
		if !ok || names[owner.Name] == "" {
			return ""
		}
		return names[owner.Name] + "." + selector.Sel.Name
	}
}

// uses lists where the source uses one of the functions, called or passed on.
func (s *source) uses(functions ...string) map[token.Pos]string {
	found := map[token.Pos]string{}
	resolve := s.resolve()
	ast.Inspect(s.syntax, func(node ast.Node) bool {
		if expression, ok := node.(ast.Expr); ok && slices.Contains(functions, resolve(expression)) {
			found[node.Pos()] = resolve(expression)
		}
		return true
	})
	return found
}

func checkLayers(s *source) []violation {
	allowed, known := mayImport[s.home()]
	if !known {
		return []violation{{s.syntax.Package, s.home() + " is not in the table of packages"}}
	}
	if slices.Contains(allowed, "anything") {
		return nil
	}
	var broken []violation
	for target, at := range s.neighbours() {
		same := target == s.home() || strings.HasPrefix(target, s.home()+"/")
		if !same && target != bed && !slices.Contains(reusable, target) && !slices.Contains(allowed, target) {
			broken = append(broken, violation{at, s.home() + " must not import " + target})
		}
	}
	return broken
}

func checkReusable(s *source) []violation {
	if !s.in(reusable...) || s.test() {
		return nil
	}
	var broken []violation
	for target, at := range s.neighbours() {
		if strings.HasPrefix(target, "internal/") {
			broken = append(broken, violation{at, s.home() + " must not import " + target + ": others use it without promote"})
		}
	}
	return broken
}

func checkBed(s *source) []violation {
	at, imported := s.neighbours()[bed]
	if !imported || s.test() || s.in(bed) {
		return nil
	}
	return []violation{{at, bed + " is for tests"}}
}

func checkLength(s *source) []violation {
	const limit = 45
	if s.test() {
		return nil
	}
	var broken []violation
	for _, declaration := range s.syntax.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		lines := s.files.Position(function.End()).Line - s.files.Position(function.Pos()).Line + 1
		if lines > limit {
			message := fmt.Sprintf("%s has %d lines, at most %d are read in one go", function.Name.Name, lines, limit)
			broken = append(broken, violation{function.Pos(), message})
		}
	}
	return broken
}

func checkProcess(s *source) []violation {
	reserved := []string{
		"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv", "os.Setenv", "os.Unsetenv", "os.Exit",
		"os/signal.Notify", "os/signal.NotifyContext", "os/signal.Ignore",
	}
	if s.test() || s.in("internal/cli", bed, "docs/generate") || s.path == "main.go" {
		return nil
	}
	var broken []violation
	for at, function := range s.uses(reserved...) {
		broken = append(broken, violation{at, function + " belongs in internal/cli: take the value as a parameter"})
	}
	return broken
}

func checkSSH(s *source) []violation {
	if s.test() || s.in("internal/host", bed) {
		return nil
	}
	var broken []violation
	for target, at := range s.imports() {
		if target == "golang.org/x/crypto/ssh" {
			broken = append(broken, violation{at, s.home() + " imports an ssh client: only internal/host does"})
		}
	}
	resolve := s.resolve()
	ast.Inspect(s.syntax, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if ok && strings.HasPrefix(resolve(call.Fun), "os/exec.") && slices.ContainsFunc(call.Args, namesSSH) {
			broken = append(broken, violation{call.Pos(), s.home() + " runs ssh: only internal/host does"})
		}
		return true
	})
	return broken
}

func namesSSH(argument ast.Expr) bool {
	literal, ok := argument.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return false
	}
	value, _ := strconv.Unquote(literal.Value) // the parser accepted it
	return slices.ContainsFunc(strings.Fields(value), func(word string) bool { return path.Base(word) == "ssh" })
}

func checkDocker(s *source) []violation {
	if s.test() || s.in("internal/docker", bed) {
		return nil
	}
	var broken []violation
	for target, at := range s.imports() {
		if strings.HasPrefix(target, "github.com/docker/docker/") || strings.HasPrefix(target, "github.com/moby/buildkit/") {
			broken = append(broken, violation{at, s.home() + " imports " + target + ": only internal/docker talks to Docker"})
		}
	}
	return broken
}

func checkSleep(s *source) []violation {
	var broken []violation
	for at := range s.uses("time.Sleep") {
		broken = append(broken, violation{at, "time.Sleep: wait for the condition or the event instead"})
	}
	return broken
}

func checkDocumented(s *source) []violation {
	if s.test() {
		return nil
	}
	var broken []violation
	for name, at := range undocumented(s.syntax) {
		broken = append(broken, violation{at, name + " has no comment: say what it means, its units and errors"})
	}
	return broken
}

// undocumented maps the exported names of a file that have no comment to where they are.
func undocumented(file *ast.File) map[string]token.Pos {
	found := map[string]token.Pos{}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && !selfExplaining(d) {
				found[d.Name.Name] = d.Pos()
			}
		case *ast.GenDecl:
			if d.Doc == nil && !enumeration(d) {
				maps.Copy(found, undocumentedSpecs(d))
			}
		}
	}
	return found
}

func undocumentedSpecs(declaration *ast.GenDecl) map[string]token.Pos {
	found := map[string]token.Pos{}
	for _, spec := range declaration.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
				found[s.Name.Name] = s.Pos()
			}
		case *ast.ValueSpec:
			if s.Doc == nil && s.Comment == nil && s.Names[0].IsExported() {
				found[s.Names[0].Name] = s.Pos()
			}
		}
	}
	return found
}

// selfExplaining tells whether function is a method that means the same in every Go program.
func selfExplaining(function *ast.FuncDecl) bool {
	known := []string{"Error", "Unwrap", "Is", "As", "String", "Hint", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText"}
	return function.Recv != nil && slices.Contains(known, function.Name.Name)
}

// enumeration tells whether the constants are the values of a type, whose comment explains them.
func enumeration(declaration *ast.GenDecl) bool {
	return declaration.Tok == token.CONST && len(declaration.Specs) > 0 && declaration.Specs[0].(*ast.ValueSpec).Type != nil
}

// exportedReceiver tells whether function is no method, or one of an exported type.
func exportedReceiver(function *ast.FuncDecl) bool {
	if function.Recv == nil {
		return true
	}
	receiver := function.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.IndexListExpr:
			receiver = r.X
		case *ast.Ident:
			return r.IsExported()
		default:
			return false
		}
	}
}
