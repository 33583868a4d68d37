package lang

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aichaos/rivescript-go/ast"
)

// The bounds of a script. Together they bound what one message can cost, in
// time and memory, whatever the script says.
const (
	maxScript        = 256 << 10 // bytes
	maxTriggers      = 2000
	maxInherited     = 20_000 // triggers, counted in each topic that reaches them
	maxSubstitutions = 500
	maxPattern       = 4 << 10   // bytes of a trigger with its arrays filled in
	maxPatterns      = 256 << 10 // bytes of all of them
	maxWildcards     = 20        // and brackets, in a trigger
	maxLine          = 8 << 10   // bytes of an answer
	maxTags          = 50        // in an answer
	maxWeight        = 100       // of an answer
	maxSamePrevious  = 50        // triggers that answer one reply
)

// begin is the parser's name for the begin block.
const begin = "__begin__"

// check judges a parsed script.
func check(root *ast.Root) error {
	if len(root.Objects) > 0 {
		return fmt.Errorf("object %q: programs in scripts are not run; <call> offers what there is", root.Objects[0].Name)
	}
	if err := checkDefinitions(root.Begin); err != nil {
		return err
	}
	if err := checkTopics(root); err != nil {
		return err
	}
	triggers, patterns := 0, 0
	for _, name := range slices.Sorted(maps.Keys(root.Topics)) {
		for _, t := range root.Topics[name].Triggers {
			triggers++
			patterns += patternSize(root, t.Trigger) + patternSize(root, t.Previous)
			if err := checkEntry(root, name, t); err != nil {
				return err
			}
		}
	}
	switch {
	case triggers == 0:
		return errors.New(`it holds no trigger; a first one could be "+ *" with the answer "- Hello!" below it`)
	case triggers > maxTriggers:
		return fmt.Errorf("it holds %d triggers, at most %d are allowed", triggers, maxTriggers)
	case patterns > maxPatterns:
		return fmt.Errorf("its triggers have %d bytes, arrays filled in, at most %d are allowed", patterns, maxPatterns)
	default:
		return nil
	}
}

func checkEntry(root *ast.Root, topic string, t *ast.Trigger) error {
	if err := checkTrigger(root, t.Trigger); err != nil {
		return fmt.Errorf("trigger %q: %w", t.Trigger, err)
	}
	if t.Previous != "" {
		if err := checkTrigger(root, t.Previous); err != nil {
			return fmt.Errorf("%% %q: %w", t.Previous, err)
		}
	}
	if err := checkAnswers(root, topic, t); err != nil {
		return fmt.Errorf("trigger %q: %w", t.Trigger, err)
	}
	return nil
}

// checkDefinitions wants plain texts: a tag in a definition would be replaced
// without end.
func checkDefinitions(b ast.Begin) error {
	for kind, definitions := range map[string]map[string]string{
		"global": b.Global, "var": b.Var, "sub": b.Sub, "person": b.Person,
	} {
		for name, value := range definitions {
			if strings.ContainsAny(name+value, "<>{}") {
				return fmt.Errorf("! %s %s: a definition cannot hold any of < > { }", kind, name)
			}
		}
	}
	for name := range b.Sub {
		if name != Comparable(name) {
			return fmt.Errorf("! sub %s: messages are compared in small letters and without punctuation", name)
		}
	}
	for name, items := range b.Array {
		if strings.ContainsAny(name+strings.Join(items, ""), "<>{}") {
			return fmt.Errorf("! array %s: a definition cannot hold any of < > { }", name)
		}
		if size := arraySize(items); size > maxPattern {
			return fmt.Errorf("! array %s has %d bytes, at most %d are allowed", name, size, maxPattern)
		}
	}
	if n := len(b.Sub) + len(b.Person); n > maxSubstitutions {
		return fmt.Errorf("it holds %d substitutions, at most %d are allowed", n, maxSubstitutions)
	}
	return nil
}

func arraySize(items []string) int {
	size := len(items)
	for _, item := range items {
		size += len(item)
	}
	return size
}

// checkTopics wants topics to include and inherit without circles, and none to
// reach another in two ways: the interpreter's lists would grow without bound.
func checkTopics(root *ast.Root) error {
	total := 0
	for _, name := range slices.Sorted(maps.Keys(root.Topics)) {
		reached := map[string]bool{}
		if err := reach(root, name, reached); err != nil {
			return fmt.Errorf("topic %q: %w", name, err)
		}
		previous := map[string]int{}
		for t := range reached {
			total += len(root.Topics[t].Triggers)
			for _, trigger := range root.Topics[t].Triggers {
				previous[trigger.Previous]++
			}
		}
		delete(previous, "")
		for p, n := range previous {
			if n > maxSamePrevious {
				return fmt.Errorf("topic %q: %d triggers follow %q, at most %d are allowed", name, n, p, maxSamePrevious)
			}
		}
		if total > maxInherited {
			return fmt.Errorf("its topics share more than %d triggers", maxInherited)
		}
	}
	return nil
}

func reach(root *ast.Root, name string, reached map[string]bool) error {
	topic := root.Topics[name]
	if topic == nil {
		return fmt.Errorf("there is no topic %q", name)
	}
	if reached[name] {
		return fmt.Errorf("it reaches the topic %q in two ways", name)
	}
	reached[name] = true
	for _, next := range slices.Concat(slices.Sorted(maps.Keys(topic.Includes)), slices.Sorted(maps.Keys(topic.Inherits))) {
		if err := reach(root, next, reached); err != nil {
			return err
		}
	}
	return nil
}

// patternSize is the size of a trigger with its arrays filled in.
func patternSize(root *ast.Root, trigger string) int {
	size := len(trigger)
	for _, m := range arrayInTrigger.FindAllStringSubmatch(trigger, -1) {
		size += arraySize(root.Begin.Array[m[1]])
	}
	return size
}

// checkWeights bounds {weight=…} of an answer: the interpreter makes that many
// copies.
func checkWeights(text string) error {
	for _, m := range weightForm.FindAllStringSubmatch(text, -1) {
		if n, err := strconv.Atoi(m[1]); err != nil || n > maxWeight {
			return fmt.Errorf("{weight=%s}: at most %d is allowed", m[1], maxWeight)
		}
	}
	return nil
}
