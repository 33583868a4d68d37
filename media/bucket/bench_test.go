package bucket_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"parley/media"
	"parley/media/s3test"
)

// BenchmarkBucket puts new contents and reads them. The service is in the same
// process and keeps them in memory, which counts in the allocations.
func BenchmarkBucket(b *testing.B) {
	for _, size := range []int{10_000, 1 << 20, 16 << 20} {
		s, content := open(b, s3test.Start(b), ""), noise(size)
		var last media.Object
		put := func(n uint64) {
			binary.BigEndian.PutUint64(content, n)
			var err error
			if last, err = s.Put(b.Context(), bytes.NewReader(content), media.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("put/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for n := uint64(0); b.Loop(); n++ {
				put(n)
				if err := s.Delete(b.Context(), last.Hash); err != nil {
					b.Fatal(err)
				}
			}
		})
		put(0)
		b.Run(fmt.Sprintf("put-again/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				put(0)
			}
		})
		b.Run(fmt.Sprintf("get/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r, _, err := s.Open(b.Context(), last.Hash)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
