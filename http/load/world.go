package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// World stands for Meta and the model server: it accepts every message at once,
// and answers every turn at once or never.
type World struct {
	server   *http.Server
	listener net.Listener
	hang     bool
	sent     atomic.Int64
}

// NewWorld starts a world on a loopback address.
func NewWorld(hang bool) (*World, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &World{listener: l, hang: hang}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", w.complete)
	mux.HandleFunc("POST /", w.send)
	w.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(l) }() // ends with Close
	return w, nil
}

// URL is where the world is.
func (w *World) URL() string { return "http://" + w.listener.Addr().String() }

// Close ends the world, whatever hangs in it.
func (w *World) Close() { _ = w.server.Close() }

// complete is the model. It streams one short answer.
func (w *World) complete(out http.ResponseWriter, r *http.Request) {
	if w.hang {
		<-r.Context().Done()
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	out.Header().Set("Content-Type", "text/event-stream")
	for _, chunk := range []string{
		`{"id":"c","object":"chat.completion.chunk","model":"bench","choices":[{"index":0,"delta":{"role":"assistant","content":"Yes, it does."}}]}`,
		`{"id":"c","object":"chat.completion.chunk","model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
		`[DONE]`,
	} {
		fmt.Fprintf(out, "data: %s\n\n", chunk)
	}
}

// send is Meta.
func (w *World) send(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	out.Header().Set("Content-Type", "application/json")
	if bytes.Contains(body, []byte(`"status":"read"`)) {
		_, _ = io.WriteString(out, `{"success":true}`)
		return
	}
	id := "wamid.sent." + strconv.FormatInt(w.sent.Add(1), 10)
	fmt.Fprintf(out, `{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":%q}]}`, id)
}

// Furnish waits for a server to be ready, makes a bot and an integration, and
// gives the integration's callback address.
func Furnish(ctx context.Context, base, secret, phoneNumberID, appSecret string) (string, error) {
	if err := awaitReady(ctx, base); err != nil {
		return "", err
	}
	bot, err := create(ctx, base+"/api/v1/bot/create", secret, map[string]any{"name": "Bench", "model": "bench", "backstory": "Be brief."})
	if err != nil {
		return "", err
	}
	integration, err := create(ctx, base+"/api/v1/integration/whatsapp/create", secret, map[string]any{
		"name": "Bench", "botId": bot, "phoneNumberId": phoneNumberID, "accessToken": "EAAG-bench", "appSecret": appSecret,
	})
	return base + "/api/v1/integration/whatsapp/" + integration + "/callback", err
}

// awaitReady waits up to 30 seconds.
func awaitReady(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(r); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("the server does not become ready")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func create(ctx context.Context, url, secret string, body any) (string, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+secret)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() // read to the end below
	var answer struct{ ID, Message string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.ID == "" {
		return "", fmt.Errorf("%s: %d %s", strings.TrimPrefix(url, "http://"), response.StatusCode, answer.Message)
	}
	return answer.ID, nil
}
