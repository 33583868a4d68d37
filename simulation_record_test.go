package parley_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/whatsapp"
)

// record is what a life leaves behind outside of the log: what people wrote,
// what the node acknowledged, what it told Meta.
type record struct {
	*sync.Mutex
	written map[string]written // by wamid
	// acknowledged are the wamids that the node took in, statuses also the
	// "wamid status" pairs; the value is when it did so first.
	messages, placeholders, statuses map[string]time.Time
	// echoes is when the node first took in a status of a part.
	echoes map[string]time.Time
	calls  *calls
	deaths []time.Time
	counts map[string]int
	// failures counts the failed tries to answer a message, by its label.
	failures map[string]int
	// asks are the answers to those who asked through the API, by label.
	asks  map[string]answer
	tally *tally
}

// written is a message of a person's.
type written struct {
	person      *character
	label, text string
	opens       bool
}

func newRecord() record {
	return record{
		Mutex: new(sync.Mutex), written: map[string]written{}, messages: map[string]time.Time{},
		placeholders: map[string]time.Time{}, statuses: map[string]time.Time{}, echoes: map[string]time.Time{},
		calls: &calls{byPart: map[string][]*call{}}, counts: map[string]int{}, failures: map[string]int{}, asks: map[string]answer{}, tally: new(tally),
	}
}

// count says how often it was called with a thing before.
func (r *record) count(thing ...any) int {
	r.Lock()
	defer r.Unlock()
	key := fmt.Sprint(thing...)
	r.counts[key]++
	return r.counts[key] - 1
}

func (r *record) wrote(wamid string, w written) {
	r.Lock()
	defer r.Unlock()
	r.written[wamid] = w
}

func (r *record) failed(labels []string) {
	r.Lock()
	defer r.Unlock()
	for _, l := range labels {
		r.failures[l]++
	}
}

func (r *record) death(at time.Time) {
	r.Lock()
	defer r.Unlock()
	r.deaths = append(r.deaths, at.Truncate(time.Microsecond)) // as facts have it
}

// died reports that a process ended within a stretch of time.
func (r *record) died(from, to time.Time) bool {
	return slices.ContainsFunc(r.deaths, func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// acknowledged notes what the node answered with 200.
func (s *simulation) acknowledged(n whatsapp.Notification) {
	r := &s.record
	r.Lock()
	defer r.Unlock()
	now := time.Now()
	first := func(m map[string]time.Time, key string) bool {
		_, known := m[key]
		if !known {
			m[key] = now
		}
		return !known
	}
	for _, m := range n.Messages {
		if m.IsPlaceholder() {
			first(r.placeholders, m.ID)
		} else if first(r.messages, m.ID) {
			s.tell(s.nameOf(m.Sender()), "%s is acknowledged", cmp.Or(r.written[m.ID].label, m.ID))
		}
	}
	for _, st := range n.Statuses {
		first(r.echoes, st.Opaque)
		if first(r.statuses, st.ID+" "+st.Status) {
			s.tell(s.nameOf(st.Recipient()), "the status %s of %s is acknowledged", st.Status, short(st.Opaque))
		}
	}
}

// calls are the sends by part.
type calls struct {
	sync.Mutex
	byPart map[string][]*call
}

// call is one send. told means that Meta's answer came, and to a living process.
type call struct {
	calls     *calls
	process   *life
	at, ended time.Time
	told      bool
}

func (c *calls) begin(part string, process *life) *call {
	c.Lock()
	defer c.Unlock()
	begun := &call{calls: c, process: process, at: time.Now()}
	c.byPart[part] = append(c.byPart[part], begun)
	return begun
}

func (c *call) end(answered bool) {
	c.calls.Lock()
	defer c.calls.Unlock()
	c.ended, c.told = time.Now(), answered && !c.process.over.Load()
}

// story is a life as a person can read it.
type story struct {
	sync.Mutex
	began   time.Time
	lines   []entry
	trouble map[string]bool // whom the audit's complaints are about
}

// entry is one thing that happened. who is a person's name, or "" for the node.
type entry struct {
	at        time.Time
	who, what string
}

// tell adds an entry to the story.
func (s *simulation) tell(who, format string, args ...any) {
	s.story.Lock()
	defer s.story.Unlock()
	s.story.lines = append(s.story.lines, entry{time.Now(), who, fmt.Sprintf(format, args...)})
}

// fail is a complaint about what happened to a person, or to the whole if who
// is "".
func (s *simulation) fail(who, format string, args ...any) {
	s.t.Helper()
	s.story.Lock()
	if s.story.trouble == nil {
		s.story.trouble = map[string]bool{}
	}
	s.story.trouble[who] = true
	s.story.Unlock()
	s.t.Errorf("seed %d, %s: %s", s.seed, cmp.Or(who, "all"), fmt.Sprintf(format, args...))
}

// nameOf gives the name of a person by what Meta calls them.
func (s *simulation) nameOf(id string) string {
	for _, c := range s.people {
		if c.id == id {
			return c.name
		}
	}
	return ""
}

// tellIfFailed prints the story: of those whom the complaints are about, and of
// the node.
func (s *simulation) tellIfFailed() {
	if !s.t.Failed() && *seed == 0 {
		return
	}
	s.story.Lock()
	defer s.story.Unlock()
	lines := slices.Clone(s.story.lines)
	slices.SortStableFunc(lines, func(a, b entry) int { return a.at.Compare(b.at) })
	var b strings.Builder
	for _, l := range lines {
		if l.who == "" || len(s.story.trouble) == 0 || s.story.trouble[""] || s.story.trouble[l.who] {
			at := time.Time{}.Add(l.at.Sub(s.story.began))
			fmt.Fprintf(&b, "%s %1s %s\n", at.Format("15:04:05.000"), l.who, l.what)
		}
	}
	test, _, _ := strings.Cut(s.t.Name(), "/")
	s.t.Logf("the story of seed %d (go test -v -run '^%s$' -seed=%d .):\n%s", s.seed, test, s.seed, b.String())
}

// tally counts what happened, so that one can see whether a life met anything.
type tally struct {
	sync.Mutex
	counts map[string]int
}

func (t *tally) count(what string, n int) {
	t.Lock()
	defer t.Unlock()
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	t.counts[what] += n
}

func (t *tally) add(other *tally) {
	for what, n := range other.counts {
		t.count(what, n)
	}
}

// String lists the counts, one a line.
func (t *tally) String() string {
	t.Lock()
	defer t.Unlock()
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(t.counts)) {
		fmt.Fprintf(&b, "%8d %s\n", t.counts[what], what)
	}
	return b.String()
}
