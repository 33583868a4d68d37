package parley

import (
	"context"
	"log/slog"
	nethttp "net/http"
	"time"

	"parley/actors/perform"
	"parley/media/guard"
)

// web carries what is fetched for clients. Unlike the way to Meta it excepts
// none of the operator's own servers.
func (n *Node) web(p Parts) (nethttp.RoundTripper, error) {
	if p.Web != nil {
		return p.Web, nil
	}
	return guard.Transport()
}

// contents removes what nobody refers to.
func (n *Node) contents() perform.Contents {
	return perform.Contents{Files: n.files, Refers: n.model.Refers}
}

// startSweeper clears up what crashes left in the media store.
func (n *Node) startSweeper(background context.Context) {
	s := &sweeper{contents: n.contents(), logger: n.logger}
	n.parts.Go(func() { s.run(background) })
}

// sweeper removes contents that nobody refers to, and that nobody owes to
// discard: those of uploads that a crash or a refusal cut off.
type sweeper struct {
	contents perform.Contents
	logger   *slog.Logger
}

// sweepEvery is the time between two looks at all contents.
const sweepEvery = 6 * time.Hour

func (s *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.contents.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("the media store is not swept", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
