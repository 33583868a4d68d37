package cluster

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// view is what a node knows of the others: who is a member by the registry, and
// whom it can reach. Those together are the ring that places actors.
type view struct {
	self   Member
	logger *slog.Logger
	dial   func(Member) (*link, error)
	// changed is called when the ring has changed, without the mutex.
	changed func()

	mutex  sync.Mutex
	health health           // of this node
	links  map[string]*link // by member ID

	ring atomic.Pointer[ring]
}

// ring is a view at one time. It is never changed.
type ring struct {
	members []Member
	links   map[string]*link
}

// maxMisses is how many pings in a row a member may leave unanswered.
const maxMisses = 3

// learn takes in the registry's members.
func (v *view) learn(members []Member) {
	v.mutex.Lock()
	for _, m := range members {
		if _, known := v.links[m.ID]; known || m.ID == v.self.ID || m.Address == "" {
			continue
		}
		l, err := v.dial(m)
		if err != nil {
			v.logger.Error("a node has no usable address", "node", m.ID, "address", m.Address, "err", err)
			continue
		}
		v.links[m.ID] = l
		v.logger.Info("a node came", "node", m.ID, "address", m.Address)
	}
	var gone []*link
	for id, l := range v.links {
		if !slices.ContainsFunc(members, func(m Member) bool { return m.ID == id }) {
			gone = append(gone, l)
			delete(v.links, id)
			v.logger.Info("a node went", "node", id, "address", l.member.Address)
		}
	}
	v.unlock()
	for _, l := range gone {
		_ = l.connection.Close() // calls under way end, and are made again elsewhere
	}
}

// refused takes in that nothing listens at a member's address: it is gone, long
// before the registry notices.
func (v *view) refused(l *link) { v.heard(l, maxMisses) }

// heard takes in how a ping went: 0 misses, or some.
func (v *view) heard(l *link, misses int) {
	v.mutex.Lock()
	if l.misses += misses; misses == 0 {
		l.misses = 0
	}
	if cut := l.misses >= maxMisses; cut != l.cut {
		l.cut = cut
		v.logger.Warn("whether a node can be reached has changed", "node", l.member.ID, "address", l.member.Address, "reached", !cut)
	}
	v.unlock()
}

// unlock makes the ring anew from what is known, and ends the change.
func (v *view) unlock() {
	r := v.around()
	before := v.ring.Load()
	changed := before == nil || !slices.Equal(before.members, r.members)
	if changed {
		v.ring.Store(r)
	}
	v.mutex.Unlock()
	if changed {
		v.changed()
	}
}

// around makes a ring of those that can be reached. As long as somebody among
// them is fit, who is not is left out.
func (v *view) around() *ring {
	well := v.health == sure
	for _, l := range v.links {
		well = well || !l.cut && l.health == sure
	}
	r := &ring{links: map[string]*link{}}
	if !well || v.health != ill {
		r.members = append(r.members, v.self)
	}
	for id, l := range v.links {
		if !l.cut && (!well || l.health != ill) {
			r.members, r.links[id] = append(r.members, l.member), l
		}
	}
	slices.SortFunc(r.members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return r
}

// ping asks every member whether it is there, within a time.
func (v *view) ping(ctx context.Context, within time.Duration) {
	v.mutex.Lock()
	links := make([]*link, 0, len(v.links))
	for _, l := range v.links {
		links = append(links, l)
	}
	v.mutex.Unlock()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var pings sync.WaitGroup
	for _, l := range links {
		pings.Go(func() {
			var answer pong
			err := l.connection.Invoke(ctx, pingMethod, &ping{To: l.member.ID}, &answer)
			switch {
			case err == nil && answer.ID == l.member.ID:
				v.heard(l, 0)
				v.says(l, !answer.Unfit)
			case err == nil: // it leaves, or another process has taken the address
				v.heard(l, maxMisses)
			default:
				v.heard(l, 1)
			}
		})
	}
	pings.Wait()
}

// close ends all links.
func (v *view) close() {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	for id, l := range v.links {
		_ = l.connection.Close() // nobody waits for its calls any more
		delete(v.links, id)
	}
}
