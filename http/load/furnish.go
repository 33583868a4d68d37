package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Furnish waits for a server to be ready, makes a bot and an integration, and
// gives the integration's callback address.
func Furnish(ctx context.Context, base, secret, phoneNumberID, appSecret string) (string, error) {
	if err := AwaitReady(ctx, base); err != nil {
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

// AwaitReady waits until a server can do its work, for up to 30 seconds.
func AwaitReady(ctx context.Context, base string) error {
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
