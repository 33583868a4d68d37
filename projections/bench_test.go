package projections_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"parley/events"
	"parley/events/memory"
	"parley/projections"
)

// BenchmarkFold folds a log of messages anew. Its op is one event.
func BenchmarkFold(b *testing.B) {
	store := memory.New()
	defer func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}()
	for i := range b.N {
		stream := events.Stream(fmt.Sprint("conversation-i1.", i))
		records, err := events.Records(stream, events.Metadata{Command: "c", Account: "acme", At: 1}, events.MessageReceived{
			Session: "s", Message: fmt.Sprint("m", i), WAMID: "wamid.1", From: "1555", Kind: "text", Text: "Hello", Opens: true,
			Notification: &events.NotificationReceived{Payload: make([]byte, 600), Size: 600, Messages: 1},
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := store.Append(b.Context(), stream, events.NoStream, records...); err != nil {
			b.Fatal(err)
		}
	}
	model, err := projections.Open(b.Context(), projections.Config{Path: filepath.Join(b.TempDir(), "model.db"), Store: store})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	b.ReportAllocs()
	b.ResetTimer()
	go func() { done <- model.Run(ctx) }()
	if err := model.CatchUp(ctx); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	if err := model.Close(); err != nil {
		b.Fatal(err)
	}
}
