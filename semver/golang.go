package semver

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"
)

// goFile finds the version of a Go package: the string of its constant or variable Version, in whatever
// case, at top level.
func goFile(d *document) (found []scalar, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, d.path, d.data, parser.SkipObjectResolution)
	if err != nil {
		return nil, d.badGo(err)
	}
	at := func(p token.Pos) int { return files.File(p).Offset(p) }
	for _, declaration := range file.Decls {
		for _, literal := range versionLiterals(declaration) {
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				return nil, d.malformed(at(literal.Pos()), err)
			}
			found = append(found, d.quoted(at(literal.Pos()), at(literal.End()), text))
		}
	}
	return found, nil
}

// versionLiterals are the strings that a declaration gives to Version.
func versionLiterals(declaration ast.Decl) (literals []*ast.BasicLit) {
	general, ok := declaration.(*ast.GenDecl)
	if !ok {
		return nil
	}
	for _, spec := range general.Specs {
		value, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, v := range value.Values {
			literal, ok := v.(*ast.BasicLit)
			if ok && literal.Kind == token.STRING && i < len(value.Names) && strings.EqualFold(value.Names[i].Name, "version") {
				literals = append(literals, literal)
			}
		}
	}
	return literals
}

// badGo takes the place out of the parser's message: it stands in front of ours.
func (d *document) badGo(err error) error {
	var list scanner.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return d.malformed(0, err)
	}
	return d.malformed(list[0].Pos.Offset, errors.New(list[0].Msg))
}
