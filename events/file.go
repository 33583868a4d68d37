package events

// FileSettings is everything that can be configured about a file. Facts carry
// it whole.
type FileSettings struct {
	Alias       string `msgpack:"al,omitempty"`
	Name        string `msgpack:"nm,omitempty"`
	Description string `msgpack:"ds,omitempty"`
	BlueprintID string `msgpack:"bl,omitempty"`
	// Visibility is "private", "protected" or "public".
	Visibility string `msgpack:"vi,omitempty"`
	// Meta is the user's own JSON object; empty means {}.
	Meta []byte `msgpack:"mt,omitempty"`
}

// Content is what was uploaded.
type Content struct {
	// Hash is the SHA-256 in hexadecimal digits: where the media store has it.
	Hash string `msgpack:"ha"`
	// Name is harmless in every file system; Type is a media type, for example
	// "text/plain; charset=utf-8"; Size is in bytes.
	Name string `msgpack:"nm,omitempty"`
	Type string `msgpack:"ty"`
	Size int64  `msgpack:"sz"`
}

// FileCreated says that a file exists from now on. It is empty.
type FileCreated struct {
	Account  string       `msgpack:"ac"`
	Settings FileSettings `msgpack:"se"`
}

// FileUpdated carries the settings that hold from now on.
type FileUpdated struct {
	Settings FileSettings `msgpack:"se"`
}

// FileUploaded says what a file holds from now on. What it held is let go.
type FileUploaded struct {
	Content Content `msgpack:"co"`
	// Meta is the settings' meta from now on.
	Meta []byte `msgpack:"mt,omitempty"`
	// Ticket is what the upload was allowed by, which is thereby used up; ""
	// if it needed none. It counts as used until Until.
	Ticket string  `msgpack:"tk,omitempty"`
	Until  Instant `msgpack:"un,omitempty"`
	At     Instant `msgpack:"t"`
}

// FileDeleted says that a file is gone. What it held is let go.
type FileDeleted struct {
	Account string  `msgpack:"ac"`
	At      Instant `msgpack:"t"`
}

// ContentDiscarded says that a content which the file let go has been seen to:
// it was removed, unless somebody else refers to it.
type ContentDiscarded struct {
	Hash string `msgpack:"ha"`
}

// EventType is the stored name.
func (FileCreated) EventType() string { return "FileCreated" }

// EventType is the stored name.
func (FileUpdated) EventType() string { return "FileUpdated" }

// EventType is the stored name.
func (FileUploaded) EventType() string { return "FileUploaded" }

// EventType is the stored name.
func (FileDeleted) EventType() string { return "FileDeleted" }

// EventType is the stored name.
func (ContentDiscarded) EventType() string { return "ContentDiscarded" }
