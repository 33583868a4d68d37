//go:build linux

package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"parley/events"
	"parley/events/local"
)

const (
	benchStreams = 5120
	benchPayload = 600
)

// BenchmarkAppend measures durable appends of one record each with the exact
// revision, and in the same run what the disk allows at most: the same bytes,
// written to a plain file and synced in groups. ratio is the share of that.
func BenchmarkAppend(b *testing.B) {
	for _, appenders := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("appenders=%d", appenders), func(b *testing.B) {
			bound := appendRate(b, appenders, newPlainFile(b).append)
			s := openStore(b, b.TempDir())
			b.ReportAllocs()
			b.ResetTimer()
			rate := appendRate(b, appenders, func(name events.Stream, expected events.Revision, r events.Record) error {
				_, err := s.Append(context.Background(), name, expected, r)
				return err
			})
			b.ReportMetric(rate, "appends/s")
			b.ReportMetric(bound, "bound/s")
			b.ReportMetric(rate/bound, "ratio")
		})
	}
}

// appendRate makes b.N appends from many goroutines, each to streams of its
// own in turn, and returns how many there were in a second.
func appendRate(b *testing.B, appenders int, put func(events.Stream, events.Revision, events.Record) error) float64 {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	began := time.Now()
	for a := range appenders {
		wg.Go(func() {
			names := make([]events.Stream, benchStreams/appenders)
			for i := range names {
				names[i] = events.Stream(fmt.Sprintf("conversation-k3v9x2m4%04d.4915123%06d", a, i))
			}
			r := benchRecord()
			for i := 0; left.Add(-1) >= 0; i++ {
				r.ID = uuid.UUID{0: byte(a), 1: byte(a >> 8), 2: byte(i), 3: byte(i >> 8), 4: byte(i >> 16)}
				if err := put(names[i%len(names)], events.Revision(i/len(names)-1), r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(b.N) / time.Since(began).Seconds()
}

func benchRecord() events.Record {
	return events.Record{
		Type:     "MessageReceived",
		Data:     make([]byte, benchPayload),
		Metadata: []byte(`{"command":"wamid.HBgLNDkxNTEyMzQ1Njc","account":"default","at":1790000000000000}`),
	}
}

// plainFile is the least that a durable append can be: bytes at the end of a
// file, one sync for all that wait.
type plainFile struct {
	file    *os.File
	waiting chan *plainAppend
}

type plainAppend struct {
	bytes []byte
	done  chan error
}

func newPlainFile(b *testing.B) *plainFile {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
	if err != nil {
		b.Fatal(err)
	}
	p := &plainFile{file: f, waiting: make(chan *plainAppend, 1024)}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		p.run()
	}()
	b.Cleanup(func() {
		close(p.waiting)
		<-stopped
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	})
	return p
}

func (p *plainFile) append(name events.Stream, _ events.Revision, r events.Record) error {
	a := &plainAppend{done: make(chan error, 1)}
	a.bytes = append(append(append(append(a.bytes, r.ID[:]...), name...), r.Metadata...), r.Data...)
	p.waiting <- a
	return <-a.done
}

func (p *plainFile) run() {
	var out []byte
	var group []*plainAppend
	for a := range p.waiting {
		out, group = append(out[:0], a.bytes...), append(group[:0], a)
		for len(p.waiting) > 0 && len(group) < 1024 {
			a := <-p.waiting
			out, group = append(out, a.bytes...), append(group, a)
		}
		_, err := p.file.Write(out)
		if err == nil {
			err = syscall.Fdatasync(int(p.file.Fd()))
		}
		for _, a := range group {
			a.done <- err
		}
	}
}

// BenchmarkRead measures reading a stream of 50 events, another one each time,
// from the database with the operating system's cache warm.
func BenchmarkRead(b *testing.B) {
	s := openStore(b, b.TempDir())
	const streams, length = 400, 50
	fillStore(b, s, streams, length)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		name := events.Stream(fmt.Sprintf("conversation-%d", i%streams))
		got, err := s.Read(context.Background(), name, events.StreamStart, events.Forwards, 100)
		if err != nil || len(got) != length {
			b.Fatalf("read %d events, %v", len(got), err)
		}
	}
}

// BenchmarkAppendWhileReading measures appends by 64 while 8 others read streams
// of 50 events as fast as they can.
func BenchmarkAppendWhileReading(b *testing.B) {
	s := openStore(b, b.TempDir())
	const streams, length = 400, 50
	fillStore(b, s, streams, length)
	var reads atomic.Int64
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				name := events.Stream(fmt.Sprintf("conversation-%d", i*37%streams))
				if _, err := s.Read(context.Background(), name, events.StreamStart, events.Forwards, 100); err != nil {
					b.Error(err)
					return
				}
				reads.Add(1)
			}
		})
	}
	b.ResetTimer()
	rate := appendRate(b, 64, func(name events.Stream, expected events.Revision, r events.Record) error {
		_, err := s.Append(context.Background(), name, expected, r)
		return err
	})
	b.StopTimer()
	close(done)
	wg.Wait()
	b.ReportMetric(rate, "appends/s")
	b.ReportMetric(float64(reads.Load())/b.Elapsed().Seconds(), "reads/s")
}

// BenchmarkSubscribe measures how fast a subscription drains a log, from the
// database and from memory.
func BenchmarkSubscribe(b *testing.B) {
	const streams, length = 400, 50
	for _, source := range []string{"database", "memory"} {
		b.Run(source, func(b *testing.B) {
			dir := b.TempDir()
			s := openStore(b, dir)
			fillStore(b, s, streams, length)
			after := events.Position(streams*length - 8192)
			if source == "database" {
				closeStore(b, s)
				s, after = openStore(b, dir), events.LogStart
			}
			total := 0
			b.ReportAllocs()
			for b.Loop() {
				total += drain(b, s, after)
			}
			b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func drain(b *testing.B, s *local.Store, after events.Position) (n int) {
	b.Helper()
	head, err := s.Head(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	sub := s.Subscribe(after)
	for at := after; at < head; {
		page, err := sub.Next(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		n += len(page)
		at = page[len(page)-1].Position
	}
	return n
}

// fillStore appends to streams in turn, so that their events lie apart.
func fillStore(b *testing.B, s *local.Store, streams, length int) {
	b.Helper()
	for revision := range length {
		var wg sync.WaitGroup
		for i := range streams {
			wg.Go(func() {
				r := benchRecord()
				r.ID = uuid.New()
				name := events.Stream(fmt.Sprintf("conversation-%d", i))
				if _, err := s.Append(context.Background(), name, events.Revision(revision-1), r); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}
