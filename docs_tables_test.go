package parley_test

import (
	"errors"
	"flag"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var writeDocs = flag.Bool("write-docs", false, "write the tables of the documentation anew")

// table is a table of a page. The code gives the first cells of its rows. The
// others, under the rest of the head, are words: they stand in the page alone,
// and stay with their row as long as its first cells are the same.
type table struct {
	head []string
	// keys is how many cells tell a row from all others.
	keys int
	rows [][]string
}

var place = regexp.MustCompile(`(?s)(<!-- table: ([\w-]+) -->\n)(.*?)(<!-- end -->)`)

// checkTables holds the tables of a page to what they should be, or writes
// them.
func checkTables(t *testing.T, file string, tables map[string]table) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	filled := map[string]bool{}
	want := place.ReplaceAllStringFunc(string(page), func(found string) string {
		m := place.FindStringSubmatch(found)
		table, ok := tables[m[2]]
		if filled[m[2]] = true; !ok {
			t.Errorf("nobody knows what belongs into the table %q", m[2])
			return found
		}
		return m[1] + table.markdown(t, m[2], m[3]) + m[4]
	})
	for name := range tables {
		if !filled[name] {
			t.Errorf("%s has no place for the table %q", file, name)
		}
	}
	if *writeDocs {
		err = os.WriteFile(file, []byte(want), 0o644)
	} else if diff := cmp.Diff(strings.Split(string(page), "\n"), strings.Split(want, "\n")); diff != "" {
		t.Errorf("%s is not what the code does; go test -run %s . -write-docs (-page +code):\n%s", file, t.Name(), diff)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// markdown writes the table, with the words of the one that was there.
func (b table) markdown(t *testing.T, name, was string) string {
	t.Helper()
	prose := map[string][]string{}
	for line := range strings.Lines(was) {
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "| "), " |"), " | ")
		if len(cells) == len(b.head) {
			prose[b.key(cells)] = cells
		}
	}
	text := line(b.head) + "|" + strings.Repeat("---|", len(b.head)) + "\n"
	done := map[string]bool{}
	for _, row := range b.rows {
		cells := make([]string, len(b.head))
		for i := range row {
			cells[i] = strings.ReplaceAll(row[i], "|", `\|`)
		}
		key := b.key(cells)
		if done[key] {
			t.Errorf("table %s: the row %s is there twice", name, key)
		}
		if done[key] = true; prose[key] != nil {
			copy(cells[len(row):], prose[key][len(row):])
		}
		if slices.Contains(cells, "") {
			t.Errorf("table %s: the row %s has no words", name, key)
		}
		text += line(cells)
	}
	return text
}

func (b table) key(cells []string) string { return strings.Join(cells[:b.keys], " | ") }

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// source reads what the packages declare, also what they do not export.
type source struct {
	t     *testing.T
	rooms map[string]*types.Package
}

func newSource(t *testing.T) source { return source{t, map[string]*types.Package{}} }

// room gives what a package declares. Its functions are not looked into, and
// what it has from others than us and the clock is not known.
func (s source) room(name string) *types.Scope {
	s.t.Helper()
	if p := s.rooms[name]; p != nil {
		return p.Scope()
	}
	names, err := filepath.Glob(filepath.Join(filepath.FromSlash(name), "*.go"))
	if err != nil {
		s.t.Fatal(err)
	}
	var files []*ast.File
	set := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			s.t.Fatal(err)
		}
		files = append(files, f)
	}
	config := types.Config{IgnoreFuncBodies: true, Importer: s, Error: func(error) {}}
	s.rooms[name], _ = config.Check("parley/"+name, set, files, nil) // errors are of what is not known
	return s.rooms[name].Scope()
}

// Import implements types.Importer.
func (s source) Import(path string) (*types.Package, error) {
	if name, ok := strings.CutPrefix(path, "parley/"); ok {
		s.room(name)
		return s.rooms[name], nil
	}
	if path == "time" {
		return importer.Default().Import(path)
	}
	return nil, errors.New("not looked at")
}

// number gives the value of a constant.
func (s source) number(room, name string) int64 {
	s.t.Helper()
	c, ok := s.room(room).Lookup(name).(*types.Const)
	if !ok {
		s.t.Errorf("%s has no constant %s", room, name)
		return 0
	}
	n, _ := constant.Int64Val(constant.ToInt(c.Val()))
	return n
}

// words gives the string constants of a type, in the order of their names.
func (s source) words(room, kind string) (all []string) {
	s.t.Helper()
	for _, name := range s.room(room).Names() {
		if c, ok := s.room(room).Lookup(name).(*types.Const); ok && strings.HasSuffix(c.Type().String(), "."+kind) {
			all = append(all, constant.StringVal(c.Val()))
		}
	}
	return all
}

// span writes a duration as people do.
func span(d time.Duration) string {
	for _, unit := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if d%unit.d == 0 && (d >= 2*unit.d || d == unit.d && unit.name != "days") {
			return strconv.FormatInt(int64(d/unit.d), 10) + " " + unit.name
		}
	}
	return d.String()
}

// size writes a number of bytes as people do.
func size(n int64) string {
	switch {
	case n%(1<<20) == 0:
		return strconv.FormatInt(n>>20, 10) + " MB"
	case n%(1<<10) == 0:
		return strconv.FormatInt(n>>10, 10) + " KB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
