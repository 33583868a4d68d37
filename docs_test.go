package parley_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryExportedNameIsDocumented also wants a package comment everywhere.
func TestEveryExportedNameIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for file := range sources(t) {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		room := filepath.Dir(file)
		documented[room] = documented[room] || f.Doc.Text() != ""
		for _, d := range f.Decls {
			checkDocs(t, fset, d)
		}
	}
	for room, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment", room)
		}
	}
}

func checkDocs(t *testing.T, fset *token.FileSet, d ast.Decl) {
	t.Helper()
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc.Text() == "" && isExportedReceiver(d.Recv) && !isWellKnown(d) {
			t.Errorf("%s: %s is not documented", fset.Position(d.Pos()), d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc.Text() == "" && s.Doc.Text() == "" {
					t.Errorf("%s: %s is not documented", fset.Position(s.Pos()), s.Name)
				}
			case *ast.ValueSpec:
				documented := d.Doc.Text() != "" || s.Doc.Text() != "" || s.Comment.Text() != ""
				if s.Names[0].IsExported() && !documented && !mentioned(d, s.Names[0].Name) {
					t.Errorf("%s: %s is not documented", fset.Position(s.Pos()), s.Names[0])
				}
			}
		}
	}
}

// mentioned reports that a neighbour's comment speaks of a constant, too.
func mentioned(d *ast.GenDecl, name string) bool {
	for _, s := range d.Specs {
		if v, ok := s.(*ast.ValueSpec); ok && strings.Contains(" "+v.Doc.Text(), " "+name+" ") {
			return true
		}
	}
	return false
}

// isExportedReceiver reports that a method can be seen from outside.
func isExportedReceiver(r *ast.FieldList) bool {
	if r == nil {
		return true
	}
	typ := r.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	name, ok := typ.(*ast.Ident)
	return ok && name.IsExported()
}

// isWellKnown reports that a method's contract is the standard library's.
func isWellKnown(d *ast.FuncDecl) bool {
	return d.Recv != nil && strings.Contains(" Error String Unwrap ", " "+d.Name.Name+" ")
}
