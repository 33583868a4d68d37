package events

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// Event is a fact. Implementations are plain structs of this package, passed
// by value and never changed after they are made.
type Event interface {
	// EventType is the stored name. It never changes.
	EventType() string
}

// Snapshot is a fact that may repeat all that came before it as far as it still
// matters. If it does, loading a stream backwards may stop there.
type Snapshot interface {
	Event
	IsSnapshot() bool
}

// IsSnapshot reports that loading may begin with a fact.
func IsSnapshot(e Event) bool {
	s, ok := e.(Snapshot)
	return ok && s.IsSnapshot()
}

// Optional is a fact that a version which does not know it may pass over: what
// it decides without it is as right as with it. All others are needed.
type Optional interface {
	Event
	IsOptional() bool
}

// Unknown is a fact of a type that this version does not know, usually one
// that a newer version wrote. It encodes to the bytes it was decoded from.
type Unknown struct {
	Type string
	Data []byte
}

// EventType is the stored name.
func (u Unknown) EventType() string { return u.Type }

// catalogue lists every fact by its stored name.
var catalogue = tableOf(
	IntegrationCreated{}, IntegrationUpdated{}, IntegrationDeleted{}, IntegrationPurged{}, DeliveriesResumed{},
	SecretSealed{},
	CallbackVerified{}, CallbackRefused{}, CallbackMuted{},
	NotificationReceived{}, SystemNotified{}, NotificationMisdirected{},
	BotCreated{}, BotUpdated{}, BotDeleted{},
	BlueprintCreated{}, BlueprintUpdated{}, BlueprintDeleted{}, BlueprintDissolved{},
	ContactCreated{}, ContactUpdated{}, ContactDeleted{}, ContactBared{},
	FileCreated{}, FileUpdated{}, FileUploaded{}, FileDeleted{}, ContentDiscarded{},
	CompletionMade{},
	TokenIssued{}, TokenRevoked{},
	AliasClaimed{}, AliasReleased{},
	SessionStarted{}, SessionContinued{}, SessionReset{},
	MessageReceived{}, MessageBlocked{}, EchoReceived{},
	AttachmentStored{}, AttachmentUploaded{}, AttachmentFailed{}, FetchDelayed{}, PersonChanged{}, ContactLinked{}, ContactSkipped{},
	TurnAsked{}, TurnStarted{}, TurnDelayed{}, ProgressReported{}, TurnAnswered{}, TurnClosed{}, Initiated{},
	SessionDescribed{}, MessageWritten{}, MessageRewritten{}, MessageStruck{},
	SessionErased{}, SessionBared{}, SessionCleared{},
	SendAttempted{}, SendRefused{}, SendUnclear{}, PartResumed{}, PartSent{}, PartAbandoned{}, StatusReceived{},
)

func tableOf(facts ...Event) map[string]reflect.Type {
	table := make(map[string]reflect.Type, len(facts))
	for _, f := range facts {
		table[f.EventType()] = reflect.TypeOf(f)
	}
	return table
}

// Types gives the zero value of every fact in the catalogue, by stored name.
func Types() map[string]Event {
	types := make(map[string]Event, len(catalogue))
	for name, t := range catalogue {
		types[name] = reflect.Zero(t).Interface().(Event)
	}
	return types
}

type encoding struct {
	buffer  bytes.Buffer
	encoder *msgpack.Encoder
}

var encodings = sync.Pool{New: func() any {
	e := new(encoding)
	e.encoder = msgpack.NewEncoder(&e.buffer)
	return e
}}

// Encode gives the stored bytes of a fact: a msgpack map with short keys.
func Encode(e Event) ([]byte, error) {
	if u, ok := e.(Unknown); ok {
		return u.Data, nil
	}
	enc := encodings.Get().(*encoding)
	defer encodings.Put(enc)
	enc.buffer.Reset()
	enc.encoder.Reset(&enc.buffer)
	enc.encoder.UseCompactInts(true) // Reset clears it
	if err := enc.encoder.Encode(e); err != nil {
		return nil, fmt.Errorf("encode %s: %w", e.EventType(), err)
	}
	return bytes.Clone(enc.buffer.Bytes()), nil
}

// Decode reads a fact back. A type that is not in the catalogue becomes
// Unknown; bytes that do not fit a known type are an error. What follows behind
// a fact is passed over: the zeros of an event that was made bare do.
func Decode(eventType string, data []byte) (Event, error) {
	t, ok := catalogue[eventType]
	if !ok {
		return Unknown{Type: eventType, Data: data}, nil
	}
	v := reflect.New(t) // fresh: a field that is missing must read as zero
	if err := msgpack.Unmarshal(data, v.Interface()); err != nil {
		return nil, fmt.Errorf("decode %s: %w", eventType, err)
	}
	return v.Elem().Interface().(Event), nil
}

// Records encodes the facts that one command caused in a stream, with IDs
// derived from both. A fact that is on a way of its own (of another message or
// turn than the command) has that for its correlation.
func Records(stream Stream, meta Metadata, facts ...Event) ([]Record, error) {
	shared := meta.Encode() // by most of them
	records, id := make([]Record, len(facts)), idsOf(stream, meta.Command)
	for i, f := range facts {
		data, err := Encode(f)
		if err != nil {
			return nil, err
		}
		records[i] = Record{ID: id(i), Type: f.EventType(), Data: data, Metadata: shared}
		own := meta
		own.Correlation = cmp.Or(journeyOf(f), meta.Correlation)
		o, ok := f.(Optional)
		if own.Optional = ok && o.IsOptional(); own != meta {
			records[i].Metadata = own.Encode()
		}
	}
	return records, nil
}
