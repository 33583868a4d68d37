package parley

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	nethttp "net/http"
	"path/filepath"
	"strings"
	"time"

	"parley/actors/perform"
	"parley/domain"
	"parley/media"
	"parley/media/bucket"
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

// openFiles opens the media store. A bucket that cannot be reached keeps no
// node from starting: what comes in is taken, and its files are owed.
func (n *Node) openFiles(ctx context.Context, p Parts) (err error) {
	if n.files = p.Files; n.files != nil {
		return nil
	}
	if !inBucket(n.config) {
		n.files, err = media.Open(n.config.Media)
		return err
	}
	files, err := bucket.Open(ctx, bucket.Config{Address: n.config.Media, Drafts: filepath.Join(n.config.Data, "drafts")})
	if err != nil {
		return fmt.Errorf("PARLEY_MEDIA: %w", err)
	}
	n.files = files
	switch err := files.Check(ctx); {
	case errors.Is(err, media.ErrUnavailable):
		n.logger.Warn("the media store cannot be reached", "err", err)
	case err != nil:
		return fmt.Errorf("PARLEY_MEDIA: %w", err)
	}
	return nil
}

// inBucket reports that the media store is in a bucket, and not in a directory.
func inBucket(c Config) bool { return strings.HasPrefix(c.Media, "s3:") }

// contents removes what nobody refers to.
func (n *Node) contents() perform.Contents {
	return perform.Contents{Files: n.files, Refers: n.model.Refers}
}

// startSweeper clears up what crashes left in the media store. Nodes share it,
// and one of them is enough: whichever owns an address that nobody lives at. Two
// at a time, while nodes come and go, only do the same twice.
func (n *Node) startSweeper(background context.Context) {
	broom := domain.Address{Kind: "media", ID: "broom"}
	s := &sweeper{contents: n.contents(), mine: func() bool { return n.cluster.Owns(broom) }, logger: n.logger}
	n.parts.Go(func() { s.run(background) })
}

// sweeper removes contents that nobody refers to, and that nobody owes to
// discard: those of uploads that a crash or a refusal cut off.
type sweeper struct {
	contents perform.Contents
	mine     func() bool // whether it is this node's turn
	logger   *slog.Logger
}

// sweepEvery is the time between two looks at all contents.
const sweepEvery = 6 * time.Hour

func (s *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if s.mine() {
			if err := s.contents.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.logger.Warn("the media store is not swept", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
