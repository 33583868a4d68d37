package esdb

import (
	"bytes"
	"errors"
	"math"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"parley/events"
)

// proposed gives records as the client wants them: copies, since a call may
// outlive the caller's patience.
func proposed(records []events.Record) []client.EventData {
	data := make([]client.EventData, len(records))
	for i, r := range records {
		data[i] = client.EventData{
			EventID: r.ID, EventType: r.Type, ContentType: client.ContentTypeBinary,
			Data: bytes.Clone(r.Data), Metadata: bytes.Clone(r.Metadata),
		}
		if r.JSON {
			data[i].ContentType = client.ContentTypeJson
		}
	}
	return data
}

var errNoPosition = errors.New("the server does not tell the position of an event; EventStoreDB 22.10 or later is needed")

// recordedOf gives an event as the contract has it.
func recordedOf(e *client.RecordedEvent) (events.Recorded, error) {
	if e.Position.Commit > math.MaxInt64 {
		return events.Recorded{}, errNoPosition
	}
	return events.Recorded{
		Record: events.Record{
			ID: e.EventID, Type: e.EventType, JSON: e.ContentType == contentJSON,
			Data: e.Data, Metadata: e.UserMetadata,
		},
		Stream:   events.Stream(e.StreamID),
		Revision: events.Revision(e.EventNumber),
		Position: events.Position(e.Position.Commit),
		Stored:   events.At(e.CreatedDate),
	}, nil
}

const contentJSON = "application/json"
