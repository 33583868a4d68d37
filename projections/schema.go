package projections

// version changes with every change of the schema or of what a fold writes;
// a file of another version is folded anew.
const version = 15

// schema holds one table a kind of answer. Rows that are listed are keyed by
// seq, the position of the event that made them: it orders rows made in the
// same millisecond and never changes.
const schema = `
CREATE TABLE checkpoint (
	one      INTEGER PRIMARY KEY CHECK (one = 1),
	position INTEGER NOT NULL,
	origin   BLOB    NOT NULL, -- ID of the log's first event
	newest   BLOB    NOT NULL  -- ID of the event at the position
);
CREATE TABLE passed_over ( -- types of events that this version does not know
	type TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE tokens (
	hash    BLOB PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	account TEXT NOT NULL,
	name    TEXT NOT NULL,
	created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE bots (
	seq       INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	account   TEXT NOT NULL,
	alias     TEXT NOT NULL,
	blueprint TEXT NOT NULL,
	meta      TEXT NOT NULL,
	settings  BLOB NOT NULL,
	created   INTEGER NOT NULL,
	updated   INTEGER NOT NULL
);
CREATE INDEX bots_account ON bots (account, seq);
CREATE INDEX bots_alias ON bots (account, alias) WHERE alias <> '';
CREATE INDEX bots_blueprint ON bots (blueprint);
CREATE TABLE blueprints (
	seq      INTEGER PRIMARY KEY,
	id       TEXT NOT NULL UNIQUE,
	account  TEXT NOT NULL,
	alias    TEXT NOT NULL,
	meta     TEXT NOT NULL,
	settings BLOB NOT NULL,
	created  INTEGER NOT NULL,
	updated  INTEGER NOT NULL
);
CREATE INDEX blueprints_account ON blueprints (account, seq);
CREATE INDEX blueprints_alias ON blueprints (account, alias) WHERE alias <> '';
CREATE TABLE doomed ( -- what is still to be deleted with its blueprint
	stream    TEXT PRIMARY KEY,
	blueprint TEXT NOT NULL,
	alias     TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX doomed_blueprint ON doomed (blueprint);
CREATE TABLE integrations (
	seq       INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	account   TEXT NOT NULL,
	alias     TEXT NOT NULL,
	bot       TEXT NOT NULL,
	blueprint TEXT NOT NULL,
	phone     TEXT NOT NULL, -- Meta's ID of the number
	meta      TEXT NOT NULL,
	settings  BLOB NOT NULL,
	created   INTEGER NOT NULL,
	updated   INTEGER NOT NULL
);
CREATE INDEX integrations_account ON integrations (account, seq);
CREATE INDEX integrations_alias ON integrations (account, alias) WHERE alias <> '';
CREATE INDEX integrations_phone ON integrations (account, phone) WHERE phone <> '';
CREATE INDEX integrations_bot ON integrations (bot);
CREATE INDEX integrations_blueprint ON integrations (blueprint);
CREATE TABLE deleted_integrations (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE conversations (
	seq         INTEGER PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE,
	account     TEXT NOT NULL,
	integration TEXT NOT NULL,
	stream      TEXT NOT NULL,
	first       INTEGER NOT NULL, -- revision in the stream that it begins with
	bot         TEXT NOT NULL,
	blueprint   TEXT NOT NULL, -- whose only bot may answer; '' once a bot has
	contact     TEXT NOT NULL,
	name        TEXT NOT NULL DEFAULT '',
	description TEXT NOT NULL DEFAULT '',
	model       TEXT NOT NULL DEFAULT '',
	backstory   TEXT NOT NULL DEFAULT '',
	privacy     INTEGER NOT NULL DEFAULT 0,
	moderation  INTEGER NOT NULL DEFAULT 0,
	meta        TEXT NOT NULL,
	written     INTEGER NOT NULL DEFAULT 0, -- revision of the last message that was put in
	edited      INTEGER NOT NULL DEFAULT 0, -- 1 if it has rows in edits
	created     INTEGER NOT NULL,
	updated     INTEGER NOT NULL
);
CREATE INDEX conversations_account ON conversations (account, seq);
CREATE INDEX conversations_integration ON conversations (integration, seq);
CREATE INDEX conversations_bot ON conversations (bot);
CREATE INDEX conversations_stream ON conversations (stream, first);
CREATE INDEX conversations_contact ON conversations (contact, seq) WHERE contact <> '';
CREATE TABLE edits ( -- what people changed about messages, NULL where they did not
	conversation INTEGER NOT NULL, -- its seq
	message      TEXT    NOT NULL,
	struck       INTEGER NOT NULL DEFAULT 0,
	type         TEXT,
	text         TEXT,
	name         TEXT,
	description  TEXT,
	meta         TEXT    NOT NULL DEFAULT '',
	updated      INTEGER NOT NULL,
	PRIMARY KEY (conversation, message)
) WITHOUT ROWID;
CREATE TABLE erased ( -- conversations whose lines in the event log are bare
	seq    INTEGER PRIMARY KEY,
	stream INTEGER NOT NULL, -- its name's number
	until  INTEGER NOT NULL  -- seq of the line that tells of it
);
CREATE INDEX erased_stream ON erased (stream, until);
CREATE TABLE contacts (
	seq         INTEGER PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE,
	account     TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	meta        TEXT NOT NULL,
	settings    BLOB NOT NULL,
	created     INTEGER NOT NULL,
	updated     INTEGER NOT NULL,
	UNIQUE (account, fingerprint)
);
CREATE INDEX contacts_account ON contacts (account, seq);
CREATE TABLE attachments (
	seq          INTEGER PRIMARY KEY,
	id           TEXT NOT NULL UNIQUE,
	account      TEXT NOT NULL,
	conversation TEXT NOT NULL,
	hash         TEXT NOT NULL,
	name         TEXT NOT NULL,
	type         TEXT NOT NULL,
	size         INTEGER NOT NULL,
	meta         TEXT NOT NULL DEFAULT '{}',
	created      INTEGER NOT NULL
);
CREATE INDEX attachments_conversation ON attachments (conversation, seq);
CREATE INDEX attachments_hash ON attachments (hash);
CREATE TABLE files (
	seq        INTEGER PRIMARY KEY,
	id         TEXT NOT NULL UNIQUE,
	account    TEXT NOT NULL,
	alias      TEXT NOT NULL,
	blueprint  TEXT NOT NULL,
	visibility TEXT NOT NULL,
	meta       TEXT NOT NULL,
	settings   BLOB NOT NULL,
	hash       TEXT NOT NULL, -- of the content; '' if there is none
	content    BLOB,
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL
);
CREATE INDEX files_account ON files (account, seq);
CREATE INDEX files_alias ON files (account, alias) WHERE alias <> '';
CREATE INDEX files_blueprint ON files (blueprint);
CREATE INDEX files_hash ON files (hash) WHERE hash <> '';
CREATE TABLE names (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
);
CREATE TABLE log ( -- names stand as numbers: this table gets the most rows
	account      INTEGER NOT NULL,
	seq          INTEGER NOT NULL, -- of the event's position, see seqOf
	type         INTEGER NOT NULL,
	integration  INTEGER NOT NULL,
	conversation INTEGER NOT NULL,
	bot          INTEGER NOT NULL,
	contact      INTEGER NOT NULL, -- of an event that is a contact's own; else the conversation's is meant
	stream       INTEGER NOT NULL, -- of a conversation's events
	brought      INTEGER NOT NULL, -- 1 if the event holds the notification that brought it
	used         INTEGER NOT NULL, -- the kinds of usage that the event holds, see usedBy
	PRIMARY KEY (account, seq)
) WITHOUT ROWID;
CREATE INDEX log_integration ON log (integration, seq);
CREATE TABLE subjects ( -- the conversations that the log speaks of, also when they are gone
	seq     INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	contact TEXT NOT NULL -- the last one that it was linked with
);
CREATE TABLE usage (
	account       INTEGER NOT NULL,
	day           INTEGER NOT NULL, -- since 1970, UTC
	tokens        INTEGER NOT NULL,
	conversations INTEGER NOT NULL,
	messages      INTEGER NOT NULL,
	PRIMARY KEY (account, day)
) WITHOUT ROWID;
CREATE TABLE owed (
	stream TEXT PRIMARY KEY,
	due    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX owed_due ON owed (due);
`
