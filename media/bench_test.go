package media_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"parley/media"
)

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("%d_KB", size>>10), func(b *testing.B) {
			d := openDirectory(b, b.TempDir())
			content := bytes.Repeat([]byte("parley"), size/6+1)[:size]
			b.SetBytes(int64(size))
			for i := uint64(0); b.Loop(); i++ {
				binary.BigEndian.PutUint64(content, i) // each is another one
				if _, err := d.Put(b.Context(), bytes.NewReader(content), media.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
