// Package media keeps attachments by what is in them: a content's name is its
// SHA-256, so the same picture sent by a thousand people is kept once, and a
// fact that names a hash names these bytes for ever. A [Store] is a directory
// ([OpenDirectory]), a bucket (package media/bucket) or, for tests, memory
// ([NewMemory]); [Open] chooses by address. The package also says what a
// content is ([Settle]) and how it may be called in a file system ([SafeName]).
//
// It is not a catalogue: who sent a content, what they called it and who may
// see it stand in the log. It counts no owners either, so whoever deletes must
// know that nobody else needs the content. Package media/guard fetches from the
// web without reaching into the private network.
//
// The rule to keep: when Put has returned, the whole content is on the disk,
// and nobody ever sees half of one. A fact that refers to bytes is written only
// after that.
package media
