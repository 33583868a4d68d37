package engine

import "context"

// Recording is something spoken.
type Recording struct {
	// Name ends with the extension of the type.
	Name string
	// Type is the media type, for example "audio/ogg".
	Type string
	Data []byte
}

// Transcriber writes down what is spoken. It may be used concurrently.
type Transcriber interface {
	Transcribe(ctx context.Context, r Recording) (string, error)
}
