package parley_test

import (
	"fmt"
	"io"
	"reflect"
	"testing"
	"time"

	"parley"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/whatsapp"
	"parley/whatsapp/format"
)

// limits are the numbers of a server that is not told otherwise.
type limits struct {
	source
	rules  conversation.Rules
	config parley.Config
}

// limitTables are the tables of them, by where they begin to matter. Every rule
// stands in one.
func limitTables(t *testing.T, s source) map[string]table {
	t.Helper()
	c, err := parley.LoadConfig("serve", nil, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	l := limits{s, conversation.DefaultRules(), c}
	if r := l.rules; r.Settle != c.Settle || r.Gather != c.Gather || r.Pause != c.Pause {
		t.Errorf("the settings are not by default what the rules are: %+v", r)
	}
	tables := l.tables()
	for _, field := range reflect.VisibleFields(reflect.TypeFor[conversation.Rules]()) {
		other := l
		value := reflect.ValueOf(&other.rules).Elem().FieldByIndex(field.Index)
		value.SetInt(2 * value.Int())
		if field.Name != "SnapshotEvery" && reflect.DeepEqual(tables, other.tables()) {
			t.Errorf("no table of limits has conversation.Rules.%s", field.Name)
		}
	}
	return tables
}

func (l limits) tables() map[string]table {
	tables := map[string]table{}
	for name, rows := range map[string][][]string{
		"in": l.in(), "turn": l.turn(), "text": l.text(), "out": l.out(), "session": l.session(), "media": l.media(),
	} {
		tables["limits-"+name] = table{head: []string{"limit", "value", "set by", "beyond it"}, keys: 1, rows: rows}
	}
	return tables
}

func (l limits) count(room, name, of string) string { return fmt.Sprint(l.number(room, name), " ", of) }

func (l limits) bytes(room, name string) string { return size(l.number(room, name)) }

func (l limits) lasts(room, name string) string { return span(time.Duration(l.number(room, name))) }

func (l limits) in() [][]string {
	refusals := fmt.Sprintf("%d in %s", l.number("domain/callback", "MaxRefusals"), l.lasts("domain/callback", "RefusalWindow"))
	return [][]string{
		{"a notification's body", l.bytes("http", "maxBody"), "–"},
		{"nesting of its JSON", l.count("whatsapp", "maxDepth", "levels"), "–"},
		{"items read of it", l.count("whatsapp", "maxItems", "items"), "–"},
		{"time to take it in", l.lasts("http", "receiveTime"), "–"},
		{"payload kept for the event log", l.bytes("http", "maxPayload"), "–"},
		{"a message's text", l.bytes("http", "maxText"), "–"},
		{"messages of a sender that wait for a turn", l.count("domain/conversation", "maxWaiting", "messages"), "–"},
		{"how long a wamid is known", span(l.rules.Remember), "–"},
		{"wamids known of a sender", l.count("domain/conversation", "keepSeen", "wamids"), "–"},
		{"refused calls that are recorded", refusals, "–"},
	}
}

func (l limits) turn() [][]string {
	return [][]string{
		{"waiting for more after each message", span(l.rules.Gather), "`PARLEY_GATHER`"},
		{"waiting for more after the first message", span(l.rules.GatherMost), "–"},
		{"turns, sends and fetches at a time", fmt.Sprint(l.config.Tasks), "`PARLEY_TURNS`"},
		{"one try of the engine", span(l.config.TurnTime), "`PARLEY_TURN_TIME`"},
		{"tries of a turn", fmt.Sprint(l.rules.TurnAttempts), "–"},
		{"the last try of a turn begins within", span(l.rules.TurnBound), "–"},
		{"the last try of a turn that the API asked for begins within", span(l.rules.Patience), "–"},
		{"turns that wait for others, asked for through the API", l.count("domain/conversation", "maxAsked", "turns"), "–"},
		{"facts read for the history", l.count("actors/perform", "historyEvents", "facts"), "–"},
		{"bytes read for the history", l.bytes("actors/perform", "historyBytes"), "–"},
		{"files that pictures are looked for in", l.count("actors/perform", "maxPictures", "files"), "–"},
		{"a picture that the engine is shown", l.bytes("actors/perform", "maxPicture"), "–"},
		{"messages of an answer", l.count("actors/perform", "maxParts", "messages"), "–"},
		{"an answer as a whole", l.bytes("actors/perform", "maxAnswer"), "–"},
		{"silence after a person took over", span(l.rules.Pause), "`PARLEY_PAUSE`"},
	}
}

func (l limits) text() [][]string {
	characters := func(n int) string { return fmt.Sprint(n, " characters") }
	short := func(name string) string { return l.count("whatsapp", name, "characters") }
	return [][]string{
		{"a text message", characters(format.MaxText), "Meta"},
		{"a caption", characters(format.MaxCaption), "Meta"},
		{"the body of buttons, or the prompt for a location", characters(format.MaxCaption), "Meta"},
		{"the body of a list", characters(format.MaxText), "Meta"},
		{"the header of a list", short("maxHeader"), "Meta"},
		{"a footer", short("maxFooter"), "Meta"},
		{"buttons", l.count("whatsapp", "maxButtons", "buttons"), "Meta"},
		{"rows of a list, in all its sections", l.count("whatsapp", "maxRows", "rows"), "Meta"},
		{"the title of a button, and the text that opens a list", short("maxButtonTitle"), "Meta"},
		{"the title of a row", short("maxRowTitle"), "Meta"},
		{"the description of a row", short("maxDescription"), "Meta"},
		{"the title of a section", short("maxSection"), "Meta"},
		{"the ID of a button", short("maxButtonID"), "Meta"},
		{"the ID of a row", short("maxRowID"), "Meta"},
	}
}

func (l limits) out() [][]string {
	return [][]string{
		{"messages to one person at once", fmt.Sprint(l.rules.PairBurst), "Meta"},
		{"messages to one person in the long run", "one every " + span(l.rules.PairEvery), "Meta"},
		{"messages from one phone number", fmt.Sprint(l.config.NumberRate, " a second"), "`PARLEY_NUMBER_RATE`"},
		{"time since the person last wrote", l.lasts("actors/perform", "window"), "Meta"},
		{"what follows a file waits for it to be on its way", span(l.rules.FilePause), "–"},
		{"one call to Meta", l.lasts("whatsapp", "callTimeout"), "–"},
		{"an unknown outcome waits for a status", span(l.rules.Settle), "`PARLEY_SETTLE`"},
		{"tries of unknown outcome", fmt.Sprint(l.rules.UnclearAttempts), "–"},
		{"tries of a part that is refused", fmt.Sprint(l.rules.SendAttempts), "–"},
		{"the last try of a part begins within", span(l.rules.SendBound), "–"},
		{"waiting for an operator, between two tries", l.lasts("actors/perform", "stoppedWait") + " to " + l.lasts("actors/perform", "longestStoppedWait"), "–"},
		{"one more try in a window that should be open, after", l.lasts("actors/perform", "windowRetry"), "–"},
		{"\"typing\" is shown anew every", l.lasts("actors/perform", "typingEvery"), "–"},
		{"sent parts of a person that statuses are tied to", fmt.Sprint(l.number("domain/conversation", "keepSent")), "–"},
		{"how long statuses are tied to them", l.lasts("domain/conversation", "keepSentFor"), "–"},
	}
}

func (l limits) session() [][]string {
	return [][]string{
		{"a session after its last message", span(time.Duration(integration.DefaultSessionMillis) * time.Millisecond), "`sessionDuration`"},
		{"the longest that can be set", span(integration.MaxSessionMillis * time.Millisecond), "–"},
	}
}

func (l limits) media() [][]string {
	return [][]string{
		{"a file", size(whatsapp.MaxMedia), "Meta"},
		{"tries to fetch it", fmt.Sprint(l.rules.FetchAttempts), "–"},
		{"the last try to fetch it begins within", span(l.rules.FetchBound), "–"},
		{"asking where it is, and waiting for its first byte, each", l.lasts("whatsapp", "callTimeout"), "–"},
		{"standing still", l.lasts("whatsapp", "maxPause"), "–"},
		{"one download", l.lasts("whatsapp", "maxDownload"), "–"},
		{"redirects", fmt.Sprint(l.number("whatsapp", "maxRedirects")), "–"},
		{"its name", l.bytes("media", "maxName"), "–"},
		{"a recording that is written down", l.bytes("actors/perform", "maxRecording"), "–"},
	}
}
