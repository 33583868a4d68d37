package esdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/prometheus/client_golang/prometheus"

	"parley/events"
)

// Options say where a store reports to. The zero Options are fine.
type Options struct {
	// Logger gets what an operator should know. nil logs nothing.
	Logger *slog.Logger
	// Metrics gets the store's metrics for as long as it is open. nil counts
	// in vain.
	Metrics prometheus.Registerer
}

// Store is an event log in an EventStoreDB. Make it with Open.
type Store struct {
	config  client.Configuration
	logger  *slog.Logger
	metrics *metrics
	pool    *pool
	breaker *breaker

	// life ends when the store closes, and with it every call.
	life context.Context
	end  context.CancelFunc
	// work counts the goroutines. It grows only under mutex and while the
	// store is open.
	mutex  sync.Mutex
	work   sync.WaitGroup
	closed bool
}

var _ events.Store = (*Store)(nil)

// Open makes a store of what a connection string names, in the form that
// EventStoreDB's users know: esdb://user:password@host:2113, several hosts
// separated by commas, esdb+discover://, with settings such as ?tls=false or
// tlsCAFile. Nothing is connected yet; calls do that. Errors name what is wrong
// with the string, and no secret of it.
func Open(connection events.Secret, o Options) (*Store, error) {
	config, err := parse(connection)
	if err != nil {
		return nil, err
	}
	s := &Store{logger: cmp.Or(o.Logger, slog.New(slog.DiscardHandler))}
	config.Logger = func(level client.LogLevel, format string, args ...any) {
		s.logger.Debug("event store client", "level", level, "says", fmt.Sprintf(format, args...))
	}
	s.config = *config
	if s.metrics, err = newMetrics(o.Metrics); err != nil {
		return nil, err
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.pool, s.breaker = newPool(s.config, s.metrics), &breaker{logger: s.logger}
	if config.DisableTLS && config.Username != "" {
		s.logger.Warn("the event store's user and password are not sent, since TLS is off")
	}
	return s, nil
}

// begin counts a goroutine in, unless the store is closed.
func (s *Store) begin() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	return true
}

// usable tells why a call cannot be served.
func (s *Store) usable(ctx context.Context) error {
	if s.life.Err() != nil {
		return events.ErrClosed
	}
	return ctx.Err()
}

// Close implements [events.Store]. It waits for calls that are connecting,
// which the client does not let go of for two seconds a host. Closing again is
// no error.
func (s *Store) Close() error {
	s.mutex.Lock()
	s.closed = true
	s.mutex.Unlock()
	s.end()
	s.work.Wait()
	s.pool.close()
	s.metrics.close()
	return nil
}

// Read implements [events.Store].
func (s *Store) Read(ctx context.Context, stream events.Stream, from events.Revision, dir events.Direction, limit int) ([]events.Recorded, error) {
	read, err := s.readStream(ctx, stream, from, dir, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, describe(err))
	}
	return read, nil
}

func (s *Store) readStream(ctx context.Context, stream events.Stream, from events.Revision, dir events.Direction, limit int) ([]events.Recorded, error) {
	if dir == events.Forwards {
		from = max(from, events.StreamStart)
	}
	if limit <= 0 || from < events.StreamStart {
		return nil, s.usable(ctx)
	}
	options := client.ReadStreamOptions{Direction: direction(dir), From: client.Revision(uint64(from))}
	if dir == events.Backwards && from == events.StreamEnd {
		options.From = client.End{}
	}
	read, err := try(ctx, s, func(ctx context.Context, c *client.Client) ([]events.Recorded, error) {
		r, err := c.ReadStream(ctx, string(stream), options, uint64(limit))
		return receive(r, err)
	})
	if isCode(err, client.ErrorCodeResourceNotFound) || isCode(err, client.ErrorCodeStreamDeleted) {
		return nil, nil
	}
	return read, err
}

// receive reads what a read gives, to its end.
func receive(r *client.ReadStream, err error) ([]events.Recorded, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var read []events.Recorded
	for {
		e, err := r.Recv()
		if errors.Is(err, io.EOF) {
			return read, nil
		}
		if err != nil {
			return nil, err
		}
		recorded, err := recordedOf(e.OriginalEvent())
		if err != nil {
			return nil, err
		}
		read = append(read, recorded)
	}
}

func direction(dir events.Direction) client.Direction {
	if dir == events.Backwards {
		return client.Backwards
	}
	return client.Forwards
}

// pages bound what is read of the log at once, in events. There may be any
// number of the server's own events between ours.
const (
	leastPage = 32
	mostPage  = 2048
)

// ReadAll implements [events.Store]. The server's own events are left out. A
// position other than LogStart and LogEnd must be one that an event had.
func (s *Store) ReadAll(ctx context.Context, from events.Position, dir events.Direction, limit int) ([]events.Recorded, error) {
	at := position(from, dir)
	if limit <= 0 || at == nil {
		return nil, s.usable(ctx)
	}
	var read []events.Recorded
	var last events.Position // of the page before; it comes again, forwards
	for {
		n := min(max(limit-len(read)+1, leastPage), mostPage)
		page, err := try(ctx, s, func(ctx context.Context, c *client.Client) ([]events.Recorded, error) {
			r, err := c.ReadAll(ctx, client.ReadAllOptions{Direction: direction(dir), From: at}, uint64(n))
			return receive(r, err)
		})
		if err != nil {
			return nil, fmt.Errorf("read the log: %w", describe(err))
		}
		for _, e := range page {
			if isSystem(e) || e.Position == last {
				continue
			}
			if read = append(read, e); len(read) == limit {
				return read, nil
			}
		}
		if len(page) < n {
			return read, nil
		}
		last = page[n-1].Position
		at = client.Position{Commit: uint64(last), Prepare: uint64(last)}
	}
}

// position gives a place in the log as the client wants it, or nil where there
// is nothing to read in that direction.
func position(p events.Position, dir events.Direction) client.AllPosition {
	switch {
	case p == events.LogStart && dir == events.Forwards:
		return client.Start{}
	case p >= events.LogEnd && dir == events.Backwards:
		return client.End{}
	case p == events.LogStart, p >= events.LogEnd:
		return nil
	}
	return client.Position{Commit: uint64(p), Prepare: uint64(p)}
}

// isSystem reports that an event is the server's own, such as a stream's
// metadata, statistics, or a link made by a projection.
func isSystem(e events.Recorded) bool {
	return strings.HasPrefix(string(e.Stream), "$") || strings.HasPrefix(e.Type, "$")
}

// Lingers says that the whole log may show events that are erased, until a
// scavenge. Their streams do not.
func (s *Store) Lingers() bool { return true }

// Head implements [events.Store].
func (s *Store) Head(ctx context.Context) (events.Position, error) {
	newest, err := s.ReadAll(ctx, events.LogEnd, events.Backwards, 1)
	if err != nil || len(newest) == 0 {
		return events.LogStart, err
	}
	return newest[0].Position, nil
}
