package rivescript_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
	"parley/engine/rivescript"
)

var rewrite = flag.Bool("rewrite", false, "write the answers of the transcripts anew")

var everything = engine.Abilities{Buttons: true, Lists: true, Location: true, Progress: true, NewConversation: true}

// TestTranscripts holds the conversations in testdata against the engine. In a
// transcript, "> …" is a message of the user, messages without an answer
// between them are one turn, and what the bot does follows. A line that begins
// with "@" changes the time, and "@ plain" takes the channel's abilities away.
// Lines that begin with "#" are remarks. The script stands in a file of the
// same name; the demo's is built in.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want := read(t, file)
			got := replay(t, scriptOf(t, file), want)
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("transcript (-want +got):\n%s", diff)
			}
		})
	}
}

func scriptOf(t *testing.T, file string) string {
	t.Helper()
	if filepath.Base(file) == "demo.txt" {
		return rivescript.Demo
	}
	return read(t, strings.TrimSuffix(file, ".txt")+".rive")
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// replay says the user's lines of a transcript and writes it with the answers
// that come.
func replay(t *testing.T, script, transcript string) string {
	t.Helper()
	c := conversation{engine: rivescript.New(), turn: engine.Turn{
		Model: rivescript.Model, Backstory: script, Abilities: everything, Sender: "ada",
		Now: time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC),
	}}
	var b strings.Builder
	for line := range strings.Lines(transcript) {
		text, said := strings.CutPrefix(line, ">")
		change, changes := strings.CutPrefix(line, "@ ")
		answer := !said && len(c.waiting) > 0
		if answer {
			b.WriteString(c.answer(t))
		}
		switch {
		case said:
			c.waiting = append(c.waiting, strings.ReplaceAll(strings.TrimSpace(text), `\n`, "\n"))
			b.WriteString(line)
		case changes:
			c.change(t, strings.TrimSpace(change))
			b.WriteString(line)
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
			b.WriteString(line)
		}
	}
	if len(c.waiting) > 0 {
		b.WriteString(c.answer(t))
	}
	return b.String()
}

type conversation struct {
	engine  engine.Engine
	turn    engine.Turn
	waiting []string
}

func (c *conversation) change(t *testing.T, to string) {
	t.Helper()
	if to == "plain" {
		c.turn.Abilities = engine.Abilities{}
		return
	}
	now, err := time.Parse("2006-01-02 15:04", to)
	if err != nil {
		t.Fatal(err)
	}
	c.turn.Now = now
}

// answer runs a turn for the messages that wait.
func (c *conversation) answer(t *testing.T) string {
	t.Helper()
	for _, text := range c.waiting {
		c.turn.History = append(c.turn.History, engine.Message{Role: engine.User, Text: text})
	}
	c.waiting = nil
	var b strings.Builder
	for act, err := range c.engine.Answer(t.Context(), c.turn) {
		if err != nil {
			fmt.Fprintf(&b, "error: %v\n", err)
			break
		}
		if r, ok := act.(engine.Remember); ok {
			c.turn.Memory = r.Memory
			continue
		}
		b.WriteString(describe(t, act))
	}
	c.turn.History = append(c.turn.History, engine.Message{Role: engine.Bot, Text: "…"})
	return b.String()
}

// describe is an act on lines that a person can read.
func describe(t *testing.T, act engine.Act) string {
	t.Helper()
	if say, ok := act.(engine.Say); ok {
		return strings.ReplaceAll(strings.ReplaceAll(say.Text, "\n", "\n| "), "| \n", "|\n") + "\n"
	}
	b, err := json.Marshal(act)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%T %s\n", act, b)
}
