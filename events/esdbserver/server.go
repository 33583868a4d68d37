package esdbserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	tlscredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"parley/events"
)

// Options say who may call. The zero Options serve everybody, on loopback.
type Options struct {
	// User and Password are asked for by Basic authentication, if set. Who knows
	// them may do everything.
	User     string
	Password events.Secret
	// Reader and ReaderPassword, if set, are those of who may only read.
	Reader         string
	ReaderPassword events.Secret
	// TLS encrypts, if set.
	TLS *tls.Config
	// Logger gets what an operator should know. nil logs nothing.
	Logger *slog.Logger
}

// Server serves a store. Make it with New.
type Server struct {
	options Options
	grpc    *grpc.Server
	closing context.Context
	close   context.CancelFunc
}

// maxMessage is the largest message that is read, in bytes: what EventStoreDB's
// own clients can read. An append is bounded by events.MaxAppend anyway.
const maxMessage = 17 << 20

// New makes a server over a store, which stays the caller's.
func New(store events.Store, o Options) *Server {
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	s := &Server{options: o}
	s.closing, s.close = context.WithCancel(context.Background())
	guard := guard{writer: credentials{o.User, o.Password}, reader: credentials{o.Reader, o.ReaderPassword}}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		// Clients ask every 10 seconds whether the server is there, also when
		// they have nothing else to ask.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 10 * time.Second, Timeout: 10 * time.Second}),
		grpc.ChainUnaryInterceptor(guard.unary),
		grpc.ChainStreamInterceptor(guard.stream),
		grpc.UnknownServiceHandler(notOffered),
	}
	if o.TLS != nil {
		options = append(options, grpc.Creds(tlscredentials.NewTLS(o.TLS)))
	}
	s.grpc = grpc.NewServer(options...)
	api.RegisterStreamsServer(s.grpc, &streams{store: store, recent: newRecent(keepRecent), turns: newTurns(), closing: s.closing})
	gossip.RegisterGossipServer(s.grpc, alone{})
	serverfeatures.RegisterServerFeaturesServer(s.grpc, features{})
	return s
}

// Check refuses an address beyond loopback without both TLS and a password:
// whoever reaches the log could read and write everything.
func (s *Server) Check(address net.Addr) error {
	open := s.options.Password.IsZero() && s.options.ReaderPassword.IsZero()
	if !isLoopback(address) && (s.options.TLS == nil || open) {
		return fmt.Errorf("serve the log on %s: beyond loopback it needs TLS and a password", address)
	}
	return nil
}

// Serve answers what comes in on a listener until Stop is called, and then
// returns nil. It refuses what Check refuses.
func (s *Server) Serve(listener net.Listener) error {
	address := listener.Addr()
	if err := s.Check(address); err != nil {
		return errors.Join(err, listener.Close())
	}
	s.options.Logger.Info("event log is served", "listen", address.String(), "tls", s.options.TLS != nil)
	if err := s.grpc.Serve(listener); err != nil {
		return fmt.Errorf("serve the log on %s: %w", address, err)
	}
	return nil
}

func isLoopback(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

// Stop ends all subscriptions, waits for calls under way until the context
// ends, and then cuts off the rest.
func (s *Server) Stop(ctx context.Context) {
	s.close() // subscriptions never end by themselves
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
	}
}
