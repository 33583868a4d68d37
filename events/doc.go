// Package events holds the facts that Parley records, how they are written
// down, and the contract of the log that keeps them.
//
// A fact is a past-tense struct ([MessageReceived], [IntegrationDeleted]). The
// catalogue gives each one a stored name that never changes; the codec turns
// facts into msgpack maps with short keys and back, and carries types it does
// not know through unchanged. A [Store] keeps encoded [Record] values in
// streams and knows nothing of their meaning, so any store can hold facts of a
// newer version.
//
// The rule to keep: fields are added, never renamed, reused or given another
// type. A new meaning is a new fact. testdata/golden holds every encoding that
// was ever released, and they must decode for ever.
package events
