package events

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Metadata travels beside every fact as a JSON object, so that tools which
// cannot read msgpack (EventStoreDB's own among them) can group and trace.
type Metadata struct {
	// Command is the ID of the command that caused the fact.
	Command string `json:"command,omitempty"`
	// Correlation ties together everything on one way from a message through
	// its turn and the sends to their statuses, or all that another outside
	// request led to. "$correlationId" is EventStoreDB's name for it.
	Correlation string `json:"$correlationId,omitempty"`
	// Causation is the ID of the command or request directly before: for what
	// a task reports, of its last report, or of the command after which it was
	// owed.
	Causation string `json:"$causationId,omitempty"`
	// Account owns the stream.
	Account string `json:"account,omitempty"`
	Route
	// At is when the command was made, in microseconds since 1970.
	At Instant `json:"at,omitempty"`
	// Owes is when the stream next owes the world some work, as it stood
	// after this append; 0 means it owes nothing. It lets a node find, without
	// reading streams, whom to wake.
	Owes Instant `json:"owes,omitempty"`
	// Optional says that who does not know the fact may pass over it.
	Optional bool `json:"optional,omitempty"`
}

// Encode gives the JSON form. It is written for every append, so it is put
// together by hand.
func (m Metadata) Encode() []byte {
	b := make([]byte, 0, 384)
	for _, field := range [...]struct{ key, value string }{
		{`"command":`, m.Command},
		{`"$correlationId":`, m.Correlation},
		{`"$causationId":`, m.Causation},
		{`"account":`, m.Account},
		{`"integration":`, m.Integration},
		{`"sender":`, m.Sender},
		{`"conversation":`, m.Conversation},
		{`"bot":`, m.Bot},
	} {
		if field.value != "" {
			b = appendText(append(append(b, ','), field.key...), field.value)
		}
	}
	if m.At != 0 {
		b = strconv.AppendInt(append(b, `,"at":`...), int64(m.At), 10)
	}
	if m.Owes != 0 {
		b = strconv.AppendInt(append(b, `,"owes":`...), int64(m.Owes), 10)
	}
	if m.Optional {
		b = append(b, `,"optional":true`...)
	}
	if len(b) == 0 {
		return []byte("{}")
	}
	b[0] = '{'
	return append(b, '}')
}

// appendText appends a JSON string. What is not plain ASCII is left to the
// library.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			encoded, err := json.Marshal(text)
			if err != nil {
				panic(err) // a string always encodes
			}
			return append(b, encoded...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// DecodeMetadata reads the JSON form. Empty input is empty metadata: events
// written by others need not carry ours.
func DecodeMetadata(b []byte) (Metadata, error) {
	var m Metadata
	if len(b) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("decode metadata: %w", err)
	}
	return m, nil
}
