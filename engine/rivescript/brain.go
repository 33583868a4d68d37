package rivescript

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aichaos/rivescript-go"

	"parley/engine"
	"parley/engine/rivescript/internal/lang"
)

// brain is one interpreter. The library's interpreter keeps state while it
// replies and locks little of it, so a brain serves one turn at a time.
type brain struct {
	rs      *rivescript.RiveScript
	session *session
	// broken says that a reply was cut off and left the interpreter in a
	// state that nobody knows.
	broken bool
}

// newBrain loads a source that lang.Compile has written.
func newBrain(source string) (*brain, error) {
	s := &session{}
	rs := rivescript.New(&rivescript.Config{UTF8: true, Strict: true, Depth: maxDepth, SessionManager: s})
	rs.Quiet = true // or it writes to standard output
	rs.SetUnicodePunctuation(lang.ForeignPunctuation)
	rs.SetSubroutine(lang.Macro, func(_ *rivescript.RiveScript, args []string) string {
		return s.call(strings.Join(args, " "))
	})
	if err := rs.Stream(source); err != nil {
		return nil, fmt.Errorf("load the script: %w", err)
	}
	if err := rs.SortReplies(); err != nil {
		return nil, fmt.Errorf("sort the triggers: %w", err)
	}
	return &brain{rs: rs, session: s}, nil
}

// answer runs one message of the turn that the session is in.
func (b *brain) answer(ctx context.Context, m engine.Message) ([]engine.Act, error) {
	text := b.session.beginMessage(ctx, m)
	out, err := b.reply(text)
	switch {
	case err != nil:
		return nil, err
	case b.session.failure != nil:
		return nil, b.session.failure
	case b.session.missed:
		return nil, errNoMatch
	case len(out) > maxOutput:
		return nil, &engine.Error{Reason: fmt.Sprintf("the bot's script answered with %d bytes, at most %d are allowed", len(out), maxOutput)}
	default:
		return b.session.layout(out)
	}
}

// reply calls the interpreter. Going out by a panic is the only way there is
// to stop it, both for the limits of the session and for its own faults.
func (b *brain) reply(text string) (out string, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		b.broken = true
		if a, ok := p.(abort); ok {
			out, err = "", a.err
			return
		}
		out, err = "", &engine.Error{Reason: fmt.Sprintf("the bot's script made the interpreter fail: %v", p)}
	}()

	out, err = b.rs.Reply(b.session.sender, text)
	switch {
	case errors.Is(err, rivescript.ErrNoTriggerMatched):
		return "", errNoMatch
	case err != nil:
		return "", &engine.Error{Reason: "the bot's script", Err: err}
	default:
		return out, nil
	}
}

// abort is what a session panics with to stop the interpreter.
type abort struct{ err error }
