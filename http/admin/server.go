package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// socket is where the server of a data directory listens. A directory of its
// own keeps others out from the first moment on, when the socket has not got
// its mode yet.
func socket(data string) string { return filepath.Join(data, "admin", "socket") }

// Listen opens the socket of a data directory. The caller must be the only
// process that has the directory's log open: what is left there by one that
// was killed is taken away.
func Listen(data string) (net.Listener, error) {
	path := socket(data)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Server answers on a socket.
type Server struct {
	tokens Tokens
	http   http.Server
}

// The bounds of one request.
const (
	maxBody     = 64 << 10 // bytes
	requestTime = 10 * time.Second
)

// NewServer makes a server. It serves nothing until Serve.
func NewServer(tokens Tokens) *Server {
	s := &Server{tokens: tokens}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathTokens, s.create)
	mux.HandleFunc("GET "+pathTokens, s.list)
	mux.HandleFunc("POST "+pathRevoke, s.revoke)
	s.http = http.Server{
		Handler:     http.TimeoutHandler(http.MaxBytesHandler(mux, maxBody), requestTime, `{"message": "the server takes too long"}`),
		ReadTimeout: requestTime, IdleTimeout: requestTime,
	}
	return s
}

// Serve answers on a listener until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the admin socket: %w", err)
	}
	return nil
}

// Shutdown takes the socket away and waits for the requests under way, at most
// until the context ends.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop the admin socket: %w", err), s.http.Close())
	}
	return nil
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var in wish
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read the request: %w", err))
		return
	}
	token, secret, err := s.tokens.Create(r.Context(), in.Account, in.Name)
	answer(w, created{Token: token, Secret: secret}, err)
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	tokens, err := s.tokens.List(r.Context(), r.URL.Query().Get("account"))
	answer(w, tokens, err)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	token, err := s.tokens.Revoke(r.Context(), r.PathValue("id"))
	answer(w, token, err)
}

func answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		v = problem{Message: err.Error()}
	}
	_ = json.NewEncoder(w).Encode(v) // who asked has gone
}
