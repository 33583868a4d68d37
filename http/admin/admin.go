// Package admin is the door for who sits at the machine. A second process may
// not open the log of a server that runs, so it asks the server, over a socket
// in the data directory.
//
// It is not a part of the API: nobody shows a secret here. Who may open the
// socket's directory could read the log as well, and that is the one rule to
// keep: the directory and the socket are the owner's alone.
package admin

import (
	"context"
	"time"
)

// Token is a secret for the API as it can be shown: everything but the secret.
type Token struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
}

// Tokens hands out secrets for the API and withdraws them. Its errors are words
// for a person.
type Tokens interface {
	// Create makes a secret of an account. Only its hash is kept, so this is the
	// one time that it can be seen. The name may be "".
	Create(ctx context.Context, account, name string) (t Token, secret string, err error)
	// List gives the tokens that are valid, the oldest first; those of all
	// accounts for "".
	List(ctx context.Context, account string) ([]Token, error)
	// Revoke withdraws a token by its ID. When it returns, the secret opens
	// nothing any more.
	Revoke(ctx context.Context, id string) (Token, error)
}

// What is said over the socket, as JSON over HTTP.
const (
	pathTokens = "/tokens"
	pathRevoke = "/tokens/{id}/revoke"
)

// wish is the body of a request to create a token.
type wish struct {
	Account string `json:"account"`
	Name    string `json:"name"`
}

// created is the answer to it.
type created struct {
	Token
	Secret string `json:"secret"`
}

// problem is the answer when something is wrong.
type problem struct {
	Message string `json:"message"`
}
