package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
)

// Member is one node of a cluster.
type Member struct {
	// ID is new with every start of a process.
	ID string
	// Address is where other nodes reach it, "host:port"; "" if they cannot.
	Address string
}

// ErrLost says that the registry took a member for gone, although it lives. The
// others have its actors by now: its process must end and begin anew.
var ErrLost = errors.New("the membership is lost")

// Registry is where nodes learn of each other. Implementations may be called
// concurrently.
type Registry interface {
	// Heartbeat says that a member lives, which makes it a member the first
	// time, and returns all members. It is called again within a third of the
	// time after which the registry takes a silent member for gone. Errors:
	// ErrLost; after any other the members are what they were.
	Heartbeat(ctx context.Context, self Member) ([]Member, error)

	// Leave removes a member at once. Leaving twice is no error.
	Leave(ctx context.Context, self Member) error
}

// Alone is the registry of a node without others. Its zero value is ready;
// several nodes of one process that share one see each other.
type Alone struct {
	mutex   sync.Mutex
	members []Member
}

// Heartbeat adds the member.
func (a *Alone) Heartbeat(_ context.Context, self Member) ([]Member, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if !slices.Contains(a.members, self) {
		a.members = append(a.members, self)
		slices.SortFunc(a.members, func(x, y Member) int { return strings.Compare(x.ID, y.ID) })
	}
	return slices.Clone(a.members), nil
}

// Leave removes the member.
func (a *Alone) Leave(_ context.Context, self Member) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.members = slices.DeleteFunc(a.members, func(m Member) bool { return m == self })
	return nil
}
