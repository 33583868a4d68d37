package cluster_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/cluster"
	"parley/events/memory"
)

// voices are the taps of a node whose turns a test speaks itself.
type voices struct {
	mutex sync.Mutex
	turns map[string]chan string
	left  sync.WaitGroup // those who listen
}

func (v *voices) turn(name string) chan string {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.turns[name] == nil {
		v.turns[name] = make(chan string, 16)
	}
	return v.turns[name]
}

func (v *voices) Listen(turn string) (pieces <-chan string, stop func()) {
	v.left.Add(1)
	return v.turn(turn), v.left.Done
}

// all hears a turn to its end.
func all(t *testing.T, pieces <-chan string) string {
	t.Helper()
	var said strings.Builder
	for {
		select {
		case piece, more := <-pieces:
			said.WriteString(piece)
			if !more {
				return said.String()
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no end comes after %q", said.String())
		}
	}
}

func TestTurnsAreHeardFromOtherNodes(t *testing.T) { // A21
	store, registry := memory.New(), &cluster.Alone{}
	owner, asker := join(t, store, registry), join(t, store, registry)
	agree(t, owner, asker)
	v, to := owner.voices, address("a")
	for i := 0; !owner.Owns(to); i++ {
		to = address(fmt.Sprint("a", i))
	}

	t.Run("the words come as they are said, and the end", func(t *testing.T) {
		pieces, stop := asker.Listen(t.Context(), to, "words")
		defer stop()
		v.turn("words") <- "Good "
		if first := <-pieces; first != "Good " {
			t.Errorf("%q comes first", first)
		}
		v.turn("words") <- "mor"
		v.turn("words") <- "ning"
		close(v.turn("words"))
		if said := all(t, pieces); said != "morning" {
			t.Errorf("%q follows", said)
		}
	})
	t.Run("its own node hears the same", func(t *testing.T) {
		pieces, stop := owner.Listen(t.Context(), to, "own")
		defer stop()
		v.turn("own") <- "Hi"
		close(v.turn("own"))
		if said := all(t, pieces); said != "Hi" {
			t.Errorf("%q", said)
		}
	})
	t.Run("who stops is not listened for any more", func(t *testing.T) {
		_, stop := asker.Listen(t.Context(), to, "stopped")
		stop()
		ctx, leave := context.WithCancel(t.Context())
		_, stop = asker.Listen(ctx, to, "left")
		leave()
		stop()
		v.left.Wait()
	})
	t.Run("a node that is torn out is heard no more", func(t *testing.T) {
		pieces, stop := asker.Listen(t.Context(), to, "torn")
		defer stop()
		owner.listener.tear()
		if said := all(t, pieces); said != "" {
			t.Errorf("%q", said)
		}
		begun := make(chan struct{})
		go func() {
			defer close(begun)
			_, stop := asker.Listen(t.Context(), to, "gone")
			stop()
		}()
		select {
		case <-begun:
		case <-time.After(10 * time.Second):
			t.Error("who cannot hear waits for ever")
		}
	})
}
