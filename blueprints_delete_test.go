package parley_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/events"
	"parley/events/memory"
)

// clinging is a store that can be made to keep bots from being deleted, after
// some of them were.
type clinging struct {
	events.Store
	clings atomic.Bool
	spares atomic.Int32 // how many may still be deleted
}

func (s *clinging) Append(ctx context.Context, stream events.Stream, r events.Revision, records ...events.Record) (events.Appended, error) {
	if s.clings.Load() && records[0].Type == (events.BotDeleted{}).EventType() && s.spares.Add(-1) < 0 {
		return events.Appended{}, events.ErrUnavailable
	}
	return s.Store.Append(ctx, stream, r, records...)
}

// shops is a blueprint with two bots, a file and an integration, beside which stand a
// bot of another blueprint and the house's own.
type shops struct {
	*house
	blueprint, other string
	lost, kept       []string // bots
	file             string
}

func (h *house) shops() shops {
	h.t.Helper()
	e := shops{house: h, blueprint: h.create("/blueprint", object{"alias": "shops"}), other: h.create("/blueprint", object{})}
	for i := range 2 {
		e.lost = append(e.lost, h.create("/bot", object{"name": fmt.Sprint("m", i), "alias": fmt.Sprint("bot", i), "blueprintId": e.blueprint}))
	}
	e.file = h.create("/file", object{"name": "menu", "alias": "menu", "blueprintId": e.blueprint})
	e.kept = []string{h.bot, h.create("/bot", object{"name": "B", "blueprintId": e.other})}
	h.post(integrations+"/"+h.integration+"/update", object{"alias": "shop", "blueprintId": e.blueprint})
	return e
}

// erased checks that nothing but the deletion is left of the integration.
func (h *house) erased(t rule) {
	t.Helper()
	for _, category := range []string{events.SecretCategory, events.IntegrationCategory} {
		left, err := h.store.Read(h.t.Context(), events.StreamOf(category, h.integration), events.StreamStart, events.Forwards, 100)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, r := range left {
			if r.Type != "IntegrationDeleted" && r.Type != "IntegrationPurged" {
				t.Errorf("%s still holds %s", r.Stream, r.Type)
			}
		}
	}
}

func TestDeletingABlueprintWithItsResources(t *testing.T) { // A19
	inHouse(t, options{}, func(h *house) {
		e := h.shops()
		h.person(alice).Write("Hello")
		h.settle()
		h.post("/bot/"+e.lost[1]+"/update", object{"alias": "fresh"}) // too new to be taken from one who does not use it
		began := time.Now()
		h.post("/blueprint/@shops/delete", object{"deleteResources": "true"})
		h.rule("the answer comes when they are gone", func(t rule) {
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %s", took)
			}
			if diff := cmp.Diff(e.kept, ids(h.list("/bot/list"))); diff != "" {
				t.Error(diff)
			}
			for _, path := range []string{integrations + "/" + h.integration + "/fetch", "/bot/@bot0/fetch", "/file/@menu/fetch", "/blueprint/" + e.blueprint + "/fetch"} {
				if a := h.call(http.MethodGet, path, apiSecret, nil); a.status != 404 {
					t.Errorf("%s: %d", path, a.status)
				}
			}
			if status := h.notify(text(alice, "wamid.9", "Still there?")); status != 404 {
				t.Errorf("the callback answers %d", status)
			}
		})
		h.rule("their aliases are free", func(t rule) { // A17
			h.create("/blueprint", object{"alias": "shops"})
			h.create("/bot", object{"alias": "bot0"})
			h.create("/bot", object{"alias": "fresh"})
			h.create("/file", object{"alias": "menu"})
			h.create(integrations, object{"alias": "shop"})
		})
		h.settle()
		h.rule("the integration is purged, and its history stays", func(t rule) { // P7
			h.erased(t)
			if got := h.conversations(); len(got) != 1 {
				t.Errorf("%d conversations", len(got))
			}
		})
	})
}

func TestADeletionWithResourcesGoesOnAfterACrash(t *testing.T) { // A19 P4
	inHouse(t, options{store: func() events.Store { return &clinging{Store: memory.New()} }}, func(h *house) {
		e, store := h.shops(), h.store.(*clinging)
		store.spares.Store(1)
		store.clings.Store(true)
		began := time.Now()
		h.post("/blueprint/"+e.blueprint+"/delete", object{"deleteResources": true})
		h.rule("the answer does not wait for long", func(t rule) {
			if took := time.Since(began); took < time.Second || took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
		h.rule("what is not deleted yet is linked to nothing", func(t rule) {
			left := h.list("/bot/list")
			if len(left) != 3 {
				t.Fatalf("%d bots are left", len(left))
			}
			for _, b := range left {
				if b["blueprintId"] == e.blueprint {
					t.Errorf("%v", b)
				}
			}
		})
		h.crash()
		late := h.create("/bot", object{"name": "late"})
		store.clings.Store(false)
		h.settle()
		h.rule("the next node does the rest", func(t rule) {
			if diff := cmp.Diff([]string{h.bot, e.kept[1], late}, ids(h.list("/bot/list"))); diff != "" {
				t.Error(diff)
			}
			if got := h.list("/file/list"); len(got) != 0 {
				t.Errorf("%v", got)
			}
			h.erased(t)
			last, err := h.store.Read(h.t.Context(), events.StreamOf(events.BlueprintCategory, e.blueprint), events.StreamEnd, events.Backwards, 1)
			if err != nil || len(last) != 1 || last[0].Type != "BlueprintDissolved" {
				t.Errorf("%v, %v", last, err)
			}
		})
	})
}
