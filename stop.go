package parley

import (
	"context"
	"errors"
	"io"
	"time"
)

// The time that stopping may take: as a whole, and for the work under way. A
// node with others gives their balancer time to notice, and takes less for the
// rest: what is not finished is theirs.
const (
	stopTime       = 9 * time.Second
	graceTime      = 4 * time.Second
	departTime     = 1500 * time.Millisecond
	graceInCluster = 2500 * time.Millisecond
)

// grace is none when the others have this node's work already.
func (n *Node) grace() time.Duration {
	switch {
	case n.lost.Load():
		return 0
	case n.config.Cluster.on():
		return graceInCluster
	}
	return graceTime
}

// Stop closes the door, gives the work under way a moment to end, and closes
// every part, in the opposite order of Start. What is not finished is owed,
// and goes on with the next start.
func (n *Node) Stop(ctx context.Context) error {
	var errs []error
	if n.admin != nil {
		errs = append(errs, n.admin.Shutdown(ctx))
	}
	if n.plain != nil {
		errs = append(errs, n.plain.Close())
	}
	if n.http != nil && n.listener != nil && n.config.Cluster.on() && !n.lost.Load() {
		n.http.Depart(ctx, departTime)
	}
	if n.http != nil && n.listener != nil {
		errs = append(errs, n.http.Shutdown(ctx))
	}
	n.quit()
	if n.cluster != nil {
		if err := n.cluster.Stop(ctx, n.grace()); err != nil { // its time runs out there, and nothing is lost
			n.logger.Warn("the registry is not told that this node stops", "err", err)
		}
	}
	errs = append(errs, closeIf(n.registry))
	if n.logDoor != nil {
		n.logDoor.Stop(ctx)
	}
	errs = append(errs, closeIf(n.store))
	n.parts.Wait()
	if n.http != nil && n.listener == nil { // streams end also where there is no network
		errs = append(errs, n.http.Shutdown(ctx))
	}
	errs = append(errs, closeIf(n.files))
	if n.model != nil {
		errs = append(errs, n.model.Close())
	}
	errs = append(errs, closeIf(n.dataLock))
	return errors.Join(errs...)
}

// closeIf closes a part that may not have been opened.
func closeIf(c io.Closer) error {
	if c == nil {
		return nil
	}
	return c.Close()
}
