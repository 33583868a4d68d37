package rivescript

import (
	"encoding/json"
	"fmt"
	"maps"

	"parley/engine"
	"parley/engine/rivescript/internal/lang"
)

const (
	maxHistory   = 9 // what <input9> and <reply9> reach back to
	maxRecent    = 4096
	maxEarlier   = 500
	maxVariables = 200
	maxValue     = 1024
)

// memory is what a conversation carries from turn to turn.
type memory struct {
	// Vars are the user's variables; "topic" is one of them.
	Vars map[string]string `json:"vars,omitempty"`
	// Inputs and Replies are the last messages, newest first, as the
	// interpreter compares them.
	Inputs  []string `json:"inputs,omitempty"`
	Replies []string `json:"replies,omitempty"`
	// Choices are the numbered choices that the user saw last as text.
	Choices []engine.Button `json:"choices,omitempty"`
}

// decodeMemory reads a memory. One that is not ours counts as none: the bot
// had another engine before.
func decodeMemory(b []byte) memory {
	var m memory
	if json.Unmarshal(b, &m) != nil {
		m = memory{}
	}
	vars := map[string]string{"topic": "random"}
	maps.Copy(vars, m.Vars)
	m.Vars = vars
	return m
}

func (m memory) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("encode strings: %v", err)) // they cannot fail
	}
	return b
}

// remember puts the newest message in front. Older ones are kept shortened:
// only the newest reply is compared as a whole.
func (m *memory) remember(input, reply string) {
	m.Inputs = push(m.Inputs, input)
	m.Replies = push(m.Replies, reply)
}

func push(list []string, newest string) []string {
	next := []string{lang.Shorten(newest, maxRecent)}
	for _, s := range list {
		if len(next) < maxHistory {
			next = append(next, lang.Shorten(s, maxEarlier))
		}
	}
	return next
}
