package lang

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aichaos/rivescript-go/ast"
)

var (
	// tagForm is every tag an answer may hold, and what else a < may begin.
	// Names are literal: no tag can be put together while the script runs.
	tagForm = regexp.MustCompile(`^<(?:(?:star|botstar|input|reply)\d?>|(?:id|person|@|formal|sentence|uppercase|lowercase|call|/call)>|` +
		`get [\pL\pN_.-]+>|(?:set|add|sub|mult|div) [\pL\pN_.-]+=|(?:bot|env) [\pL\pN_ .-]+>|[0-9 =>-])`)
	braceForm = regexp.MustCompile(`^\{(?:/?(?:random|person|formal|sentence|uppercase|lowercase)\}|weight=\d+\}|topic=[^{}]+\}|@|ok\})`)
	topicForm = regexp.MustCompile(`\{topic=([\pL\pN_.-]+)\}`)
	callForm  = regexp.MustCompile(`<call>(.*?)</call>`)

	conditionForm = regexp.MustCompile(`^.+?\s+(?:==|eq|!=|ne|<>|<|<=|>|>=)\s+.*$`)
)

// checkAnswers judges what a trigger answers.
func checkAnswers(root *ast.Root, topic string, t *ast.Trigger) error {
	if t.Redirect == "" && len(t.Condition) == 0 && len(t.Reply) == 0 {
		return errors.New("it has no answer")
	}
	for _, c := range t.Condition {
		halves := strings.Split(c, "=>")
		if len(halves) != 2 || !conditionForm.MatchString(strings.TrimSpace(halves[0])) || strings.TrimSpace(halves[1]) == "" {
			return fmt.Errorf("%q is not a condition of the form: left == right => answer", c)
		}
	}
	for _, text := range allAnswers(t) {
		if strings.Count(text, "{ok}") > 1 || topic != begin && strings.Contains(text, "{ok}") {
			return errors.New("{ok} may stand once in an answer of the begin block")
		}
		if err := checkAnswer(root, text); err != nil {
			return fmt.Errorf("%q: %w", Shorten(text, 80), err)
		}
	}
	return nil
}

func allAnswers(t *ast.Trigger) []string {
	all := append([]string{t.Redirect}, t.Reply...)
	return append(all, t.Condition...)
}

func checkAnswer(root *ast.Root, text string) error {
	if len(text) > maxLine {
		return fmt.Errorf("it has %d bytes, at most %d are allowed", len(text), maxLine)
	}
	if n := strings.Count(text, "<") + strings.Count(text, "{") + strings.Count(text, "(@"); n > maxTags {
		return fmt.Errorf("it holds %d tags, at most %d are allowed", n, maxTags)
	}
	if err := checkWeights(text); err != nil {
		return err
	}
	if err := checkTags(text); err != nil {
		return err
	}
	for _, m := range topicForm.FindAllStringSubmatch(text, -1) {
		if root.Topics[m[1]] == nil {
			return fmt.Errorf("there is no topic %q", m[1])
		}
	}
	return checkCalls(text)
}

func checkTags(text string) error {
	depth := 0
	for i, r := range text {
		switch {
		case r == '<' && !tagForm.MatchString(text[i:]):
			return fmt.Errorf("there is no tag %q", upTo(text[i:], ">"))
		case r == '{' && !braceForm.MatchString(text[i:]):
			return fmt.Errorf("there is no tag %q", upTo(text[i:], "}"))
		case r == '{':
			depth++
		case r == '}':
			depth--
		}
		if depth < 0 {
			return errors.New("a } closes nothing")
		}
	}
	if depth > 0 {
		return errors.New("a { is not closed")
	}
	return nil
}

// upTo is the beginning of a text, to show where it is wrong.
func upTo(text, end string) string {
	if i := strings.Index(text, end); i >= 0 {
		text = text[:i+1]
	}
	return Shorten(text, 30)
}

// checkCalls tries every call whose text does not depend on the conversation.
func checkCalls(text string) error {
	if outside := callForm.ReplaceAllString(text, ""); strings.Contains(outside, "call>") {
		return errors.New("a <call> is not closed, or closed without being opened")
	}
	for _, m := range callForm.FindAllStringSubmatch(text, -1) {
		inside := m[1]
		if strings.Contains(inside, "<call>") {
			return errors.New("a <call> cannot hold another one")
		}
		if strings.ContainsAny(inside, "<{") || strings.Contains(inside, "(@") {
			name, _, _ := strings.Cut(strings.TrimSpace(inside), " ")
			if calls[name] == nil {
				return fmt.Errorf("<call>%s: there is no call of that name", name)
			}
			continue
		}
		if _, err := ParseCall(unescaped(inside)); err != nil {
			return err
		}
	}
	return nil
}

func unescaped(call string) string {
	return strings.NewReplacer(`\n`, "\n", `\s`, " ", `\#`, "#").Replace(call)
}
