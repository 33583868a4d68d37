package perform

import (
	"slices"
	"sync"
)

// tapSize is how many pieces may wait for a listener. One who does not keep up
// hears no more of the words, and still the end.
const tapSize = 256

// Taps let people listen to turns that are under way on this node. Nothing
// depends on them: the stream says what a turn came to. They may be used
// concurrently.
type Taps struct {
	mutex sync.Mutex
	turns map[string][]*tap
}

type tap struct {
	pieces chan string
	deaf   bool
}

// NewTaps makes taps that nobody listens to.
func NewTaps() *Taps { return &Taps{turns: map[string][]*tap{}} }

// Listen lets one hear what is said in a turn, from now on. The channel is
// closed when the turn is over. The function it returns ends the listening.
func (t *Taps) Listen(turn string) (pieces <-chan string, stop func()) {
	l := &tap{pieces: make(chan string, tapSize)}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.turns[turn] = append(t.turns[turn], l)
	return l.pieces, func() { t.leave(turn, l) }
}

func (t *Taps) leave(turn string, l *tap) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	left := slices.DeleteFunc(t.turns[turn], func(other *tap) bool { return other == l })
	if t.turns[turn] = left; len(left) == 0 {
		delete(t.turns, turn)
	}
}

// tell tells a piece to everybody who listens. It waits for nobody.
func (t *Taps) tell(turn, piece string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, l := range t.turns[turn] {
		if l.deaf {
			continue
		}
		select {
		case l.pieces <- piece:
		default:
			l.deaf = true
		}
	}
}

// end tells everybody that the turn is over.
func (t *Taps) end(turn string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, l := range t.turns[turn] {
		close(l.pieces)
	}
	delete(t.turns, turn)
}
