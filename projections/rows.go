package projections

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"parley/events"
)

// Token says whose secret a hash belongs to.
type Token struct {
	ID      string
	Account string
	Name    string
	Created events.Instant
}

// Bot is a bot as it stands. A link to a blueprint that is deleted reads as "".
type Bot struct {
	Seq      int64
	ID       string
	Settings events.BotSettings
	Created  events.Instant
	Updated  events.Instant
}

// Integration is a WhatsApp integration as it stands. Links to bots and
// blueprints that are deleted read as "".
type Integration struct {
	Seq      int64
	ID       string
	Settings events.IntegrationSettings
	Created  events.Instant
	Updated  events.Instant
}

// Token finds whose secret has a hash. Errors: ErrNotFound.
func (m *Model) Token(ctx context.Context, hash []byte) (Token, error) {
	q := query{columns: "id, account, name, created", table: "tokens", order: "id"}
	q.and("hash = ?", hash)
	return one(ctx, m.read, q, scanToken)
}

// Tokens lists the tokens that are valid, the oldest first; those of all
// accounts for "".
func (m *Model) Tokens(ctx context.Context, account string) ([]Token, error) {
	q := query{columns: "id, account, name, created", table: "tokens", order: "created, id"}
	if account != "" {
		q.and("account = ?", account)
	}
	return list(ctx, m.read, q, Page{Take: math.MaxInt}, scanToken)
}

func scanToken(r *sql.Rows) (t Token, err error) {
	return t, r.Scan(&t.ID, &t.Account, &t.Name, &t.Created)
}

// HasTokens reports that somebody can call the API.
func (m *Model) HasTokens(ctx context.Context) (bool, error) {
	var n int
	err := m.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM tokens LIMIT 1)").Scan(&n)
	return n > 0, err
}

const botColumns = "seq, id, blueprint, settings, created, updated"

func scanBot(r *sql.Rows) (b Bot, err error) {
	var settings []byte
	var blueprint string
	if err := r.Scan(&b.Seq, &b.ID, &blueprint, &settings, &b.Created, &b.Updated); err != nil {
		return b, err
	}
	fact, err := events.Decode(events.BotUpdated{}.EventType(), settings)
	if err == nil {
		b.Settings = fact.(events.BotUpdated).Settings
		b.Settings.BlueprintID = blueprint
	}
	return b, err
}

// Bot gives a bot of an account by its ID or "@alias". Errors: ErrNotFound.
func (m *Model) Bot(ctx context.Context, account, id string) (Bot, error) {
	q := query{columns: botColumns, table: "bots", order: "seq"}
	q.named(account, id)
	return one(ctx, m.read, q, scanBot)
}

// Bots lists an account's bots, those of some blueprints if any are named by ID
// or "@alias".
func (m *Model) Bots(ctx context.Context, account string, blueprints []string, p Page) ([]Bot, error) {
	q := query{columns: botColumns, table: "bots", order: "seq"}
	q.and("account = ?", account)
	q.linked("blueprint", "blueprints", account, blueprints)
	return list(ctx, m.read, q, p, scanBot)
}

const integrationColumns = "seq, id, bot, blueprint, settings, created, updated"

func scanIntegration(r *sql.Rows) (i Integration, err error) {
	var settings []byte
	var bot, blueprint string
	if err := r.Scan(&i.Seq, &i.ID, &bot, &blueprint, &settings, &i.Created, &i.Updated); err != nil {
		return i, err
	}
	fact, err := events.Decode(events.IntegrationUpdated{}.EventType(), settings)
	if err == nil {
		i.Settings = fact.(events.IntegrationUpdated).Settings
		i.Settings.BotID, i.Settings.BlueprintID = bot, blueprint
	}
	return i, err
}

// Integration gives an integration of an account by its ID or "@alias".
// Errors: ErrNotFound.
func (m *Model) Integration(ctx context.Context, account, id string) (Integration, error) {
	q := query{columns: integrationColumns, table: "integrations", order: "seq"}
	q.named(account, id)
	return one(ctx, m.read, q, scanIntegration)
}

// Integrations lists an account's integrations, those of some blueprints if any
// are named by ID or "@alias".
func (m *Model) Integrations(ctx context.Context, account string, blueprints []string, p Page) ([]Integration, error) {
	q := query{columns: integrationColumns, table: "integrations", order: "seq"}
	q.and("account = ?", account)
	q.linked("blueprint", "blueprints", account, blueprints)
	return list(ctx, m.read, q, p, scanIntegration)
}

// IntegrationsOf lists an account's integrations with a phone number ID, the
// oldest first.
func (m *Model) IntegrationsOf(ctx context.Context, account, phoneNumberID string) ([]Integration, error) {
	q := query{columns: integrationColumns, table: "integrations", order: "seq"}
	q.and("account = ?", account)
	q.and("phone = ?", phoneNumberID)
	return list(ctx, m.read, q, Page{Take: 10}, scanIntegration)
}

// NewestIntegrations lists the newest integrations of all accounts.
func (m *Model) NewestIntegrations(ctx context.Context, take int) ([]Integration, error) {
	q := query{columns: integrationColumns, table: "integrations", order: "seq"}
	return list(ctx, m.read, q, Page{Take: take, Descending: true}, scanIntegration)
}

// OwingOf lists up to limit conversations of an integration that owe work,
// whenever it is due.
func (m *Model) OwingOf(ctx context.Context, integration string, limit int) ([]events.Stream, error) {
	prefix := events.StreamOf(events.ConversationCategory, integration)
	return m.streams(ctx, "SELECT stream FROM owed WHERE stream > ? AND stream < ? LIMIT ?",
		string(prefix)+".", string(prefix)+"/", limit) // the slash follows the dot
}

// Owing lists up to limit streams that owe work which is due at an instant,
// those due first first.
func (m *Model) Owing(ctx context.Context, at events.Instant, limit int) ([]events.Stream, error) {
	return m.streams(ctx, "SELECT stream FROM owed WHERE due <= ? ORDER BY due LIMIT ?", at, limit)
}

// NextOwed is when the first owed work is due, math.MaxInt64 if none is owed.
func (m *Model) NextOwed(ctx context.Context) (due events.Instant, err error) {
	err = m.read.QueryRowContext(ctx, "SELECT coalesce(min(due), ?) FROM owed", int64(math.MaxInt64)).Scan(&due)
	if err != nil {
		return 0, fmt.Errorf("find owed work: %w", err)
	}
	return due, nil
}

// Owed gives up to limit streams that owe work, those due first first, and when
// it is due. What is due at once is due at 1.
func (m *Model) Owed(ctx context.Context, limit int) (map[events.Stream]events.Instant, error) {
	rows, err := m.read.QueryContext(ctx, "SELECT stream, due FROM owed ORDER BY due LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("list owed work: %w", err)
	}
	defer rows.Close() // read to the end below
	owed := map[events.Stream]events.Instant{}
	for rows.Next() {
		var stream string
		var due events.Instant
		if err := rows.Scan(&stream, &due); err != nil {
			return nil, err
		}
		owed[events.Stream(strings.Clone(stream))] = due
	}
	return owed, rows.Err()
}

func (m *Model) streams(ctx context.Context, query string, args ...any) ([]events.Stream, error) {
	rows, err := m.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list owing streams: %w", err)
	}
	defer rows.Close() // read to the end below
	var streams []events.Stream
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		streams = append(streams, events.Stream(strings.Clone(s)))
	}
	return streams, rows.Err()
}
