package lang

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/aichaos/rivescript-go/ast"
)

var (
	weightForm     = regexp.MustCompile(`\{weight=(\d+)\}`)
	botInTrigger   = regexp.MustCompile(`<bot ([^<>]+)>`)
	arrayInTrigger = regexp.MustCompile(`@([A-Za-z0-9]+)`)
)

// checkTrigger judges a trigger, or the reply that a trigger follows. What
// passes is a valid regular expression when the interpreter has replaced the
// wildcards.
func checkTrigger(root *ast.Root, trigger string) error {
	if size := patternSize(root, trigger); size > maxPattern {
		return fmt.Errorf("it has %d bytes, arrays filled in, at most %d are allowed", size, maxPattern)
	}
	for _, m := range botInTrigger.FindAllStringSubmatch(trigger, -1) {
		if _, ok := root.Begin.Var[m[1]]; !ok {
			return fmt.Errorf("there is no bot variable %q", m[1])
		}
	}
	text := botInTrigger.ReplaceAllString(weightForm.ReplaceAllString(trigger, ""), "x")
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty")
	}
	if n := countAny(text, "([*#_"); n > maxWildcards {
		return fmt.Errorf("it holds %d wildcards and brackets, at most %d are allowed", n, maxWildcards)
	}
	if err := checkArrays(root, text); err != nil {
		return err
	}
	if err := checkLetters(arrayInTrigger.ReplaceAllString(text, "x")); err != nil {
		return err
	}
	if err := checkBrackets(text); err != nil {
		return err
	}
	return checkEdges(strings.TrimSpace(text))
}

func countAny(text, chars string) int {
	n := 0
	for _, c := range chars {
		n += strings.Count(text, string(c))
	}
	return n
}

func checkArrays(root *ast.Root, text string) error {
	for _, m := range arrayInTrigger.FindAllStringSubmatch(text, -1) {
		items, ok := root.Begin.Array[m[1]]
		if !ok {
			return fmt.Errorf("there is no array %q", m[1])
		}
		for _, item := range items {
			if err := checkLetters(item); err != nil {
				return fmt.Errorf("array %q: %q: %w", m[1], item, err)
			}
			if item == "" || strings.ContainsAny(item, wildcards) {
				return fmt.Errorf("array %q: %q cannot be part of a trigger", m[1], item)
			}
		}
	}
	return nil
}

// wildcards are the signs with a meaning in triggers; signs are the others of
// ASCII that a message still has when it is compared.
const (
	wildcards = "*#_()|[]"
	signs     = " '-/%&="
)

func checkLetters(text string) error {
	for _, r := range text {
		switch {
		case unicode.IsUpper(r):
			return errors.New("messages are compared in small letters, so it must be written in small letters")
		case strings.ContainsRune(asciiPunctuation, r) || foreignPunctuation.MatchString(string(r)):
			return fmt.Errorf("messages are compared without punctuation, so it cannot hold %q", r)
		case r == '<' || r == '>':
			return errors.New("of all tags it can hold only <bot …>; compare variables in a condition instead")
		case r < unicode.MaxASCII && !isWordByte(r) && !strings.ContainsRune(wildcards+signs, r):
			return fmt.Errorf("it cannot hold %q", r)
		}
	}
	return nil
}

func isWordByte(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
}

// checkBrackets wants every bracket closed, no choice empty and no optional
// inside another.
func checkBrackets(text string) error {
	var open []rune
	empty := false // since the last bracket or bar
	for _, r := range text {
		switch r {
		case '(', '[':
			if r == '[' && strings.ContainsRune(string(open), '[') {
				return errors.New("an optional part cannot hold another one")
			}
			open, empty = append(open, r), true
		case ')', ']', '|':
			if len(open) == 0 {
				return fmt.Errorf("%q stands outside of brackets", r)
			}
			if empty {
				return errors.New("a choice is empty; what may be left out is written [so]")
			}
			if r == '|' {
				empty = true
				continue
			}
			last := len(open) - 1
			if (r == ')') != (open[last] == '(') {
				return fmt.Errorf("%q does not close what was opened last", r)
			}
			open = open[:last]
		case ' ':
		default:
			empty = false
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%q is not closed", open[len(open)-1])
	}
	return nil
}

// checkEdges refuses what looks right and is not: the interpreter finds the
// border of a word at the beginning and the end of a message only beside
// ASCII letters, so an optional part there would miss other ones.
func checkEdges(text string) error {
	if _, after, ok := strings.Cut(text, "]"); ok && strings.HasPrefix(text, "[") {
		after = strings.TrimSpace(after)
		if after != "" && after[0] >= 0x80 {
			return errBesideLetters
		}
	}
	if at := strings.LastIndex(text, "["); at >= 0 && strings.HasSuffix(text, "]") {
		before := strings.TrimSpace(text[:at])
		if before != "" && before[len(before)-1] >= 0x80 {
			return errBesideLetters
		}
	}
	return nil
}

var errBesideLetters = errors.New(`an optional part at the edge does not work beside letters other than a-z; "? word" finds a word anywhere in a message`)

// writeTrigger is a checked trigger for the interpreter, with the bot's
// variables filled in.
func writeTrigger(root *ast.Root, trigger string) string {
	return botInTrigger.ReplaceAllStringFunc(straight(trigger), func(tag string) string {
		value := Comparable(root.Begin.Var[botInTrigger.FindStringSubmatch(tag)[1]])
		return strings.Map(func(r rune) rune {
			if checkLetters(string(r)) != nil || strings.ContainsRune(wildcards, r) {
				return -1
			}
			return r
		}, value)
	})
}

// writePrevious is writeTrigger for the reply that a trigger follows: the
// interpreter takes these signs out of replies.
func writePrevious(root *ast.Root, previous string) string {
	text := strings.NewReplacer("%", "", "&", "").Replace(writeTrigger(root, previous))
	return strings.Join(strings.Fields(text), " ")
}
