package rivescript

import (
	"container/list"
	"crypto/sha256"
	"runtime"
	"sync"
	"time"

	"parley/engine"
	"parley/engine/rivescript/internal/lang"
)

// maxPrograms is how many scripts stay compiled.
const maxPrograms = 64

// cache keeps the scripts that were used last in compiled form. It holds
// nothing that could not be made anew from the script.
type cache struct {
	mu      sync.Mutex
	entries map[[sha256.Size]byte]*list.Element
	order   *list.List // of *entry, the one used last in front
}

type entry struct {
	key     [sha256.Size]byte
	once    sync.Once
	program *program
	err     error
}

func newCache() *cache {
	return &cache{entries: map[[sha256.Size]byte]*list.Element{}, order: list.New()}
}

// get compiles a script, or finds it compiled. A script is compiled once, also
// when many ask for it at the same time.
func (c *cache) get(script string) (*program, error) {
	e := c.entry(sha256.Sum256([]byte(script)))
	e.once.Do(func() { e.program, e.err = compile(script) })
	return e.program, e.err
}

func (c *cache) entry(key [sha256.Size]byte) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[key]; ok {
		c.order.MoveToFront(element)
		return element.Value.(*entry)
	}
	e := &entry{key: key}
	c.entries[key] = c.order.PushFront(e)
	if c.order.Len() > maxPrograms {
		oldest := c.order.Remove(c.order.Back()).(*entry)
		delete(c.entries, oldest.key)
	}
	return e
}

// program is a compiled script and the interpreters that are idle just now.
type program struct {
	lang.Program
	idle chan *brain
}

func compile(script string) (*program, error) {
	compiled, err := lang.Compile(script)
	if err != nil {
		return nil, err
	}
	first, err := newBrain(compiled.Source)
	if err != nil {
		return nil, err
	}
	p := &program{Program: compiled, idle: make(chan *brain, runtime.GOMAXPROCS(0))}
	p.idle <- first
	return p, nil
}

// take returns an interpreter for the caller alone.
func (p *program) take() (*brain, error) {
	select {
	case b := <-p.idle:
		return b, nil
	default:
		return newBrain(p.Source)
	}
}

// give takes an interpreter back, unless it is broken or enough are idle.
func (p *program) give(b *brain) {
	if b.broken {
		return
	}
	select {
	case p.idle <- b:
	default:
	}
}

// clock is the time of a turn where the bot lives, if its script says so,
// otherwise where the user lives.
func (p *program) clock(t engine.Turn) time.Time {
	zone := p.Zone
	if zone == nil {
		if user, err := time.LoadLocation(t.Timezone); err == nil {
			zone = user
		} else {
			zone = time.UTC
		}
	}
	return t.Now.In(zone)
}
