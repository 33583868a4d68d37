package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"parley/events"
	"parley/events/memory"
	"parley/events/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Factory{
		New: func(testing.TB) events.Store { return memory.New() },
	})
}

func TestEmpty(t *testing.T) {
	t.Run("the head of an empty log is LogStart", func(t *testing.T) {
		head, err := memory.New().Head(t.Context())
		if err != nil || head != events.LogStart {
			t.Errorf("head %d, %v; expected LogStart", head, err)
		}
	})
}

func TestBubble(t *testing.T) {
	t.Run("a waiting subscription lets virtual time pass", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := memory.New()
			begin := time.Now()
			time.AfterFunc(time.Hour, func() { appendOne(t, s) })
			page, err := s.Subscribe(events.LogStart).Next(t.Context())
			if err != nil || len(page) != 1 {
				t.Fatalf("next gave %d events and %v", len(page), err)
			}
			if waited := time.Since(begin); waited != time.Hour {
				t.Errorf("waited %v, expected an hour", waited)
			}
			if want := events.At(begin.Add(time.Hour)); page[0].Stored != want {
				t.Errorf("stored at %d, expected %d: the bubble's clock", page[0].Stored, want)
			}
		})
	})
	t.Run("a deadline ends a waiting subscription in virtual time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			if _, err := memory.New().Subscribe(events.LogStart).Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, expected the context's", err)
			}
		})
	})
	t.Run("a store that is not closed leaves nothing behind", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { appendOne(t, memory.New()) })
	})
}

func appendOne(t *testing.T, s *memory.Store) {
	record := events.Record{ID: uuid.New(), Type: "Fact"}
	if _, err := s.Append(t.Context(), "fact-1", events.NoStream, record); err != nil {
		t.Errorf("append: %v", err)
	}
}
