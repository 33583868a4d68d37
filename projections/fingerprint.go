package projections

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"hash"
)

// Fingerprint is a digest of every row. Two models that were folded from the
// same log to the same position have the same one.
func (m *Model) Fingerprint(ctx context.Context) (string, error) {
	tx, err := m.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return "", fmt.Errorf("fingerprint: %w", err)
	}
	defer tx.Rollback() // nothing was written
	sum := sha256.New()
	for _, t := range fingerprinted {
		if err := addTable(ctx, tx, sum, t.table, t.order); err != nil {
			return "", fmt.Errorf("fingerprint of %s: %w", t.table, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// fingerprinted names the tables and what orders their rows.
var fingerprinted = []struct{ table, order string }{
	{"tokens", "hash"},
	{"blueprints", "seq"},
	{"doomed", "stream"},
	{"bots", "seq"},
	{"integrations", "seq"},
	{"deleted_integrations", "id"},
	{"conversations", "seq"},
	{"edits", "conversation, message"},
	{"erased", "seq"},
	{"contacts", "seq"},
	{"attachments", "seq"},
	{"files", "seq"},
	{"log", "seq"},
	{"subjects", "seq"},
	{"usage", "day"},
	{"owed", "stream"},
}

func addTable(ctx context.Context, tx *sql.Tx, sum hash.Hash, table, order string) error {
	columns := "*"
	if table == "erased" {
		columns = "seq, until, (SELECT name FROM names WHERE names.id = erased.stream)"
	}
	if table == "log" { // the numbers of names may differ
		columns = "seq, conversation, brought, used, " +
			"(SELECT group_concat(name, ' ') FROM (SELECT name FROM names WHERE id IN (account, type, integration, bot, contact, stream) ORDER BY name))"
	}
	if table == "usage" {
		columns = "(SELECT name FROM names WHERE id = account), day, tokens, conversations, messages"
		order += ", 1"
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+columns+" FROM "+table+" ORDER BY "+order)
	if err != nil {
		return err
	}
	defer rows.Close() // read to the end below
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(names))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		for i, v := range values {
			fmt.Fprintf(sum, "%s.%s=%v\n", table, names[i], *v.(*any))
		}
	}
	return rows.Err()
}
