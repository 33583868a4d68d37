package http

import (
	"math"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"parley/projections"
)

// maxTake bounds a page. Spec: "Lists".
const maxTake = 100

// item is one row of a list: its place and what is shown of it.
type item struct {
	seq   int64
	shown any
}

// listing is the JSON form of a page.
type listing struct {
	Items  []any  `json:"items"`
	Cursor string `json:"cursor"`
}

// page reads a list's parameters. seqOf finds the place of a row by its ID,
// because a row's bare ID is accepted as a cursor, too.
func page(c *fiber.Ctx, descending bool, seqOf func(id string) (int64, error)) (projections.Page, error) {
	p := projections.Page{Take: maxTake, Descending: descending, Meta: metaFilter(c)}
	switch c.Query("order") {
	case "asc":
		p.Descending = false
	case "desc":
		p.Descending = true
	}
	if take, err := strconv.ParseFloat(c.Query("take"), 64); err == nil && take != 0 && !math.IsNaN(take) {
		p.Take = int(min(max(take, 1), maxTake))
	}
	cursor := c.Query("cursor")
	if cursor == "" {
		return p, nil
	}
	seq, ok := readCursor(cursor)
	if !ok {
		var err error
		if seq, err = seqOf(cursor); err != nil {
			return p, invalid("The cursor is not one of this list")
		}
	}
	p.After = seq
	return p, nil
}

// A cursor says where a row stands in the order of creation, so that it serves
// when the row itself is gone. The dot tells it from an ID.
func writeCursor(seq int64) string { return "." + strconv.FormatInt(seq, 36) }

func readCursor(cursor string) (int64, bool) {
	digits, ok := strings.CutPrefix(cursor, ".")
	seq, err := strconv.ParseInt(digits, 36, 64)
	return seq, ok && err == nil && seq > 0
}

// metaFilter reads meta.key=value and meta[key]=value.
func metaFilter(c *fiber.Ctx) map[string]string {
	var filter map[string]string
	c.Context().QueryArgs().VisitAll(func(k, v []byte) {
		key := string(k)
		switch {
		case strings.HasPrefix(key, "meta."):
			key = key[len("meta."):]
		case strings.HasPrefix(key, "meta[") && strings.HasSuffix(key, "]"):
			key = strings.ReplaceAll(key[len("meta["):len(key)-1], "][", ".")
		default:
			return
		}
		if filter == nil {
			filter = map[string]string{}
		}
		filter[key] = string(v)
	})
	return filter
}

// values reads a filter that may name several values, separated by commas.
func values(c *fiber.Ctx, name string) []string {
	var all []string
	for v := range strings.SplitSeq(c.Query(name), ",") {
		if v = strings.TrimSpace(v); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// writeList answers with a page of items.
func writeList(c *fiber.Ctx, items []item) error {
	l := listing{Items: make([]any, len(items))}
	for i, x := range items {
		l.Items[i] = x.shown
		l.Cursor = writeCursor(x.seq)
	}
	return c.JSON(l)
}
