package projections_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/events"
)

// What people said about a conversation, which is all that the read model holds
// of its words, is in none of its files when it was erased: however the rows lay
// among others. A20
func TestTheFileForgetsWhatWasErased(t *testing.T) {
	for _, size := range []int{60, 200, 400} {
		t.Run(fmt.Sprintf("with %d bytes", size), func(t *testing.T) {
			f := start(t)
			const sessions, rounds = 40, 40
			mark := func(session, round int) string { return fmt.Sprintf("<said-%02d-%02d>", session, round) }
			at := func(session int) (events.Stream, string) {
				id := fmt.Sprintf("s%02d", session)
				return events.StreamOf(events.ConversationCategory, id), id
			}
			for session := range sessions {
				stream, id := at(session)
				f.put(stream, 0, events.SessionStarted{Session: events.Session{ID: id, Direct: true, Backstory: strings.Repeat(mark(session, 99), size/12+1)}})
			}
			for round := range rounds {
				for session := range sessions {
					stream, id := at(session)
					text := strings.Repeat(mark(session, round), size/12+1)
					f.put(stream, 0,
						events.SessionDescribed{Session: id, Changes: events.SessionChanges{Name: &text, Description: &text}},
						events.MessageRewritten{Session: id, Message: fmt.Sprint("m", (round*7+session*5)%rounds), Changes: events.MessageChanges{Text: &text}})
				}
			}
			for _, session := range []int{3, 0, 7, 11} {
				stream, id := at(session)
				f.put(stream, 0, events.SessionErased{Session: id})
				for _, left := range f.found(`<said-\d\d-\d\d>`) {
					if strings.HasPrefix(left, fmt.Sprintf("<said-%02d", session)) {
						t.Fatalf("%s of the erased session %d is still there", left, session)
					}
				}
			}
		})
	}
}

// found gives what matches a pattern in the files of the read model.
func (f *fixture) found(pattern string) (found []string) {
	f.t.Helper()
	names, err := filepath.Glob(f.path + "*")
	if err != nil || len(names) == 0 {
		f.t.Fatalf("%v %v", names, err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			f.t.Fatal(err)
		}
		found = append(found, regexp.MustCompile(pattern).FindAllString(string(content), -1)...)
	}
	return found
}
