package esdb_test

import (
	"fmt"
	"sync"
	"testing"

	"parley/events"
	"parley/events/memory"
)

// Appends of one event, each writer to a stream of its own, over the protocol
// and to memory: what the way costs.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			store := openStore(b, "esdb://"+serve(b, memory.New(), "127.0.0.1:0").address+"?tls=false")
			defer closeStore(b, store)
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range writers {
				n := b.N / writers
				if w < b.N%writers {
					n++
				}
				wg.Go(func() {
					at := events.NoStream
					for range n {
						done, err := store.Append(b.Context(), streamOf(w), at, facts(1)...)
						if err != nil {
							b.Error(err)
							return
						}
						at = done.Revision
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// BenchmarkFollow is a log drained by one subscription.
func BenchmarkFollow(b *testing.B) {
	behind := memory.New()
	for i := 0; i < b.N; i += 500 {
		if _, err := behind.Append(b.Context(), "a-1", events.Revision(i-1), facts(500)...); err != nil {
			b.Fatal(err)
		}
	}
	store := openStore(b, "esdb://"+serve(b, behind, "127.0.0.1:0").address+"?tls=false")
	defer closeStore(b, store)
	sub := store.Subscribe(events.LogStart)
	b.ResetTimer()
	for n := 0; n < b.N; {
		page, err := sub.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		n += len(page)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
