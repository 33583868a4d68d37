package projections

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotFound is returned for a row that is not there, or is somebody else's.
var ErrNotFound = errors.New("not found")

// Page selects a part of a list. Rows are ordered by when they were made.
type Page struct {
	// After is the seq of the last row that was given; 0 begins at the start.
	// The row itself need not be there any more.
	After int64
	// Descending gives the newest rows first.
	Descending bool
	// Take bounds the rows; it is at least 1.
	Take int
	// Meta asks for rows whose meta has these values, by dotted path.
	Meta map[string]string
}

// query builds the SELECT of a page.
type query struct {
	columns, table string
	where          []string
	args           []any
	order          string // column that orders
}

func (q *query) and(condition string, args ...any) {
	q.where = append(q.where, condition)
	q.args = append(q.args, args...)
}

// named asks for a row of an account by its ID or "@alias".
func (q *query) named(account, id string) {
	q.and("account = ?", account)
	if alias, ok := strings.CutPrefix(id, "@"); ok {
		q.and("alias = ? AND alias <> ''", alias)
	} else {
		q.and("id = ?", id)
	}
}

// linked asks for rows whose column links to one of several things of an
// account, each named by its ID or "@alias"; no names ask for nothing in
// particular. table holds the things.
func (q *query) linked(column, table, account string, names []string) {
	if len(names) == 0 {
		return
	}
	var ids, aliases []string
	for _, name := range names {
		if alias, ok := strings.CutPrefix(name, "@"); ok && alias != "" {
			aliases = append(aliases, alias)
		} else {
			ids = append(ids, name)
		}
	}
	q.and(column+" IN (SELECT id FROM "+table+" WHERE account = ? AND (id IN "+marks(ids)+" OR alias IN "+marks(aliases)+"))",
		append([]any{account}, anys(slices.Concat(ids, aliases))...)...)
}

// in asks for rows with one of several values; none asks for nothing in
// particular. through is a SELECT up to the column that the values are
// compared with, when the column itself holds something else; "" if not.
func (q *query) in(column, through string, values []string) {
	if len(values) == 0 {
		return
	}
	set := marks(values)
	if through != "" {
		set = "(" + through + " IN " + set + ")"
	}
	q.and(column+" IN "+set, anys(values)...)
}

// marks is a list of parameters, one a value.
func marks(values []string) string {
	return "(" + strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ") + ")"
}

func anys(values []string) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}

func (q *query) page(p Page) {
	switch {
	case p.After == 0:
	case p.Descending:
		q.and(q.order+" < ?", p.After)
	default:
		q.and(q.order+" > ?", p.After)
	}
	for path, value := range p.Meta {
		q.and("json_extract(meta, ?) IS NOT NULL AND (CASE json_type(meta, ?) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "+
			"ELSE CAST(json_extract(meta, ?) AS TEXT) END) = ?", jsonPath(path), jsonPath(path), jsonPath(path), value)
	}
}

// jsonPath turns "a.b" into SQLite's path $."a"."b".
func jsonPath(dotted string) string {
	path := "$"
	for part := range strings.SplitSeq(dotted, ".") {
		path += `."` + strings.ReplaceAll(part, `"`, ``) + `"`
	}
	return path
}

func (q *query) text(p Page) string {
	direction := "ASC"
	if p.Descending {
		direction = "DESC"
	}
	where := ""
	if len(q.where) > 0 {
		where = " WHERE " + strings.Join(q.where, " AND ")
	}
	return fmt.Sprintf("SELECT %s FROM %s%s ORDER BY %s %s LIMIT %d", q.columns, q.table, where, q.order, direction, p.Take)
}

// list runs a page's query and reads each row.
func list[R any](ctx context.Context, db *sql.DB, q query, p Page, scan func(*sql.Rows) (R, error)) ([]R, error) {
	q.page(p)
	rows, err := db.QueryContext(ctx, q.text(p), q.args...)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", q.table, err)
	}
	defer rows.Close() // read to the end below
	var all []R
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", q.table, err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// one runs a query for a single row. Errors: ErrNotFound.
func one[R any](ctx context.Context, db *sql.DB, q query, scan func(*sql.Rows) (R, error)) (R, error) {
	rows, err := list(ctx, db, q, Page{Take: 1}, scan)
	var none R
	switch {
	case err != nil:
		return none, err
	case len(rows) == 0:
		return none, ErrNotFound
	}
	return rows[0], nil
}

// jsonObject turns a map into a JSON object without the entries that say
// nothing.
func jsonObject(m map[string]any) json.RawMessage {
	for key, value := range m {
		switch v := value.(type) {
		case string:
			if v == "" {
				delete(m, key)
			}
		case nil:
			delete(m, key)
		case []string:
			if len(v) == 0 {
				delete(m, key)
			}
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return json.RawMessage("{}")
	}
	return b
}
