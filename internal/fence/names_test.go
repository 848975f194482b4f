package fence

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// namesIn gives one line for each mention of a banned name in a file.
func namesIn(files *token.FileSet, file *ast.File) []string {
	var lines []string
	at := func(p token.Pos) string { return files.Position(p).String() }
	imported := make(map[string]string) // the file's name for a package with banned names → its import path
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil || bannedNames[importPath] == nil {
			continue
		}
		name := path.Base(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "." {
			lines = append(lines, fmt.Sprintf("%s: dot import of %s", at(spec.Pos()), importPath))
		}
		imported[name] = importPath
	}
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		if importPath := imported[pkg.Name]; slices.Contains(bannedNames[importPath], selector.Sel.Name) {
			lines = append(lines, fmt.Sprintf("%s: %s.%s", at(n.Pos()), path.Base(importPath), selector.Sel.Name))
		}
		return true
	})
	return lines
}
