package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// ErrNobody says that no server runs on a data directory.
var ErrNobody = errors.New("no server runs on this data directory")

// Client asks the server that runs on a data directory. It is a Tokens.
type Client struct{ http http.Client }

var _ Tokens = (*Client)(nil)

// Dial finds the server of a data directory. Errors: ErrNobody, wrapped.
func Dial(ctx context.Context, data string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket(data))
	}
	conn, err := dial(ctx, "", "")
	switch {
	case errors.Is(err, os.ErrNotExist),
		errors.Is(err, syscall.ECONNREFUSED), // left by one that was killed
		errors.Is(err, syscall.EINVAL):       // the path is too long for any server to listen there
		return nil, fmt.Errorf("%w: %w", ErrNobody, err)
	case err != nil:
		return nil, fmt.Errorf("reach the server that runs on this data directory: %w", err)
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return &Client{http: http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 2 * requestTime}}, nil
}

// Create implements Tokens.
func (c *Client) Create(ctx context.Context, account, name string) (Token, string, error) {
	var made created
	err := c.call(ctx, http.MethodPost, pathTokens, wish{Account: account, Name: name}, &made)
	return made.Token, made.Secret, err
}

// List implements Tokens.
func (c *Client) List(ctx context.Context, account string) (tokens []Token, err error) {
	return tokens, c.call(ctx, http.MethodGet, pathTokens+"?account="+url.QueryEscape(account), nil, &tokens)
}

// Revoke implements Tokens.
func (c *Client) Revoke(ctx context.Context, id string) (t Token, err error) {
	return t, c.call(ctx, http.MethodPost, strings.ReplaceAll(pathRevoke, "{id}", url.PathEscape(id)), nil, &t)
}

// call asks and reads the answer into v.
func (c *Client) call(ctx context.Context, method, path string, body, v any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://parley"+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	defer response.Body.Close() // nothing is written
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		var p problem
		if json.Unmarshal(raw, &p) != nil || p.Message == "" {
			return fmt.Errorf("the running server answers with HTTP status %d", response.StatusCode)
		}
		return errors.New(p.Message)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}
