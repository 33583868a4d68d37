package http

import (
	"context"
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

// rows is a list of an account's rows.
type rows struct {
	// page gives the items of one page, in its order.
	page func(ctx context.Context, p projections.Page) ([]item, error)
	// seqOf finds the place of a row by its ID, because a row's bare ID is
	// accepted as a cursor, too.
	seqOf func(ctx context.Context, id string) (int64, error)
	// oldestFirst is the order that holds when the caller names none; the other
	// way is what lists do.
	oldestFirst bool
}

// items turns rows into the items of a list.
func items[R any](all []R, err error, show func(R) item) ([]item, error) {
	if err != nil {
		return nil, err
	}
	shown := make([]item, len(all))
	for i, r := range all {
		shown[i] = show(r)
	}
	return shown, nil
}

// list answers with a list, in the form that the caller wants: a page, or all
// of it one by one. Spec: "Lists", "Streams and exports".
func (c call) list(l rows) error {
	c.current()
	p, err := page(c.Ctx, !l.oldestFirst, func(id string) (int64, error) { return l.seqOf(c.UserContext(), id) })
	if err != nil {
		return err
	}
	if c.form != inJSON {
		return c.stream(l, p)
	}
	shown, err := l.page(c.UserContext(), p)
	if err != nil {
		return err
	}
	answer := listing{Items: make([]any, len(shown))}
	for i, x := range shown {
		answer.Items[i] = x.shown
		answer.Cursor = writeCursor(x.seq)
	}
	return c.JSON(answer)
}

// page reads a list's parameters.
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
