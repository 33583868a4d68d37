package lang

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a script may name a time zone on a machine that knows none
	"unicode"
	"unicode/utf8"

	"github.com/aichaos/rivescript-go/ast"
	"github.com/aichaos/rivescript-go/parser"
)

// Program is a checked script.
type Program struct {
	// Source is the script as the interpreter gets it.
	Source string
	// Zone is where the bot lives, nil when the script does not say.
	Zone *time.Location
}

// Compile checks a script and writes it anew for the interpreter. An error is
// a sentence for the script's author.
func Compile(script string) (Program, error) {
	lines, err := prepare(script)
	if err != nil {
		return Program{}, err
	}
	root, err := parse(lines)
	if err != nil {
		return Program{}, err
	}
	if err := check(root); err != nil {
		return Program{}, err
	}
	zone, err := timezone(root)
	if err != nil {
		return Program{}, err
	}
	return Program{Source: write(root), Zone: zone}, nil
}

// prepare judges the text as such and expands keywords.
func prepare(script string) ([]string, error) {
	if len(script) > maxScript {
		return nil, fmt.Errorf("it has %d bytes, at most %d are allowed", len(script), maxScript)
	}
	if !utf8.ValidString(script) {
		return nil, errors.New("it is not UTF-8")
	}
	script = strings.ReplaceAll(strings.TrimPrefix(script, "\uFEFF"), "\r\n", "\n")
	lines := strings.Split(script, "\n")
	opened := map[string]bool{}
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if r, found := strange(line); found {
			return nil, fmt.Errorf("line %d holds the character %U, which scripts may not", i+1, r)
		}
		if err := opens(line, opened); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if keyword, ok := strings.CutPrefix(line, "?"); ok {
			k := strings.TrimSpace(keyword)
			lines[i] = fmt.Sprintf("+ (%s|* %s|%s *|* %s *)", k, k, k, k)
		}
	}
	return lines, nil
}

// strange finds control and private-use characters. The latter are ours.
func strange(line string) (rune, bool) {
	for _, r := range line {
		if r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Co, r) {
			return r, true
		}
	}
	return 0, false
}

// opens notices a topic that is opened a second time: the parser would forget
// what the first one held.
func opens(line string, opened map[string]bool) error {
	fields := strings.Fields(strings.TrimPrefix(line, ">"))
	switch {
	case strings.HasPrefix(line, "+") || strings.HasPrefix(line, "?"):
		opened["topic random"] = true // where triggers outside of topics are
		return nil
	case !strings.HasPrefix(line, ">") || len(fields) == 0:
		return nil
	case fields[0] == "begin":
		fields = fields[:1]
	case fields[0] == "topic" && len(fields) > 1:
		fields = fields[:2]
	case fields[0] == "topic":
		return errors.New("a topic without a name")
	default:
		return nil
	}
	name := strings.Join(fields, " ")
	if opened[name] {
		return fmt.Errorf("%q is begun a second time; a topic must stand in one piece, random in front", name)
	}
	opened[name] = true
	return nil
}

// parse reads the script. Every warning of the parser is an error here.
func parse(lines []string) (*ast.Root, error) {
	var warning error
	p := parser.New(parser.ParserConfig{
		Strict: true,
		UTF8:   true,
		OnWarn: func(message, _ string, line int, args ...any) {
			if warning == nil {
				warning = fmt.Errorf("line %d: %s", line, fmt.Sprintf(message, args...))
			}
		},
	})
	root, err := p.Parse("script", lines)
	if err != nil {
		return nil, err
	}
	return root, warning
}

// timezone is where the bot lives: "! var timezone = Europe/London".
func timezone(root *ast.Root) (*time.Location, error) {
	name, ok := root.Begin.Var["timezone"]
	if !ok {
		return nil, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q", name)
	}
	return zone, nil
}
