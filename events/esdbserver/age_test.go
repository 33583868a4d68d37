package esdbserver_test

import (
	"testing"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
)

// The clock of what is stored is the store's: a second is waited for, since the
// metadata count in seconds.
func TestMaxAge(t *testing.T) {
	d := open(t)
	d.put("a-1", many("A", 2)...)
	var meta client.StreamMetadata
	meta.SetMaxAge(time.Second)
	if _, err := d.SetStreamMetadata(d.ctx, "a-1", client.AppendToStreamOptions{}, meta); err != nil {
		t.Fatal(err)
	}
	<-time.After(1100 * time.Millisecond)
	d.put("a-1", event("B"))
	if read, err := d.forwards("a-1"); err != nil || !cmp.Equal(read, []uint64{2}) {
		t.Errorf("%v, %v; expected the young one", read, err)
	}
}
