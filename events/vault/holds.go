package vault

import (
	"context"
	"fmt"

	"parley/events"
)

// page is how many events are looked at together.
const page = 512

// Holds reports that a log has sealed credentials, with whatever key. It may
// have to read the whole log. What is erased does not count, also where it is
// still shown to who reads the whole log.
func Holds(ctx context.Context, store events.Store) (bool, error) {
	for at := events.LogStart; ; {
		es, err := store.ReadAll(ctx, at, events.Forwards, page)
		if err != nil {
			return false, fmt.Errorf("look for sealed secrets: %w", err)
		}
		for _, e := range es {
			if e.Stream.Category() != events.SecretCategory {
				continue
			}
			left, err := store.Read(ctx, e.Stream, e.Revision, events.Forwards, 1)
			if err != nil || len(left) > 0 {
				return err == nil, err
			}
		}
		if len(es) < page {
			return false, nil
		}
		at = es[len(es)-1].Position
	}
}
