package http

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/domain"
	"parley/events"
	"parley/http/openapi"
	"parley/http/ticket"
	"parley/media"
	"parley/projections"
)

// ErrUnavailable is what Actors return, wrapped, when a request could not be
// carried out now; the client is told to try again.
var ErrUnavailable = errors.New("temporarily unavailable")

// Actors carry out commands and answer questions. Refusals are *domain.Error.
type Actors interface {
	Ask(ctx context.Context, to domain.Address, c domain.Command) (domain.Result, error)
	Query(ctx context.Context, to domain.Address, question any) (any, error)
}

// Vault keeps credentials.
type Vault interface {
	Seal(ctx context.Context, meta events.Metadata, integration string, secret events.Secret) (ref string, err error)
	Open(ctx context.Context, integration, ref string) (events.Secret, error)
	Erase(ctx context.Context, integration string) error
}

// Files keeps what is uploaded. It is a media.Store.
type Files interface {
	Put(ctx context.Context, content io.Reader, limits media.Limits) (media.Object, error)
	Open(ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error)
	Stat(ctx context.Context, h media.Hash) (media.Object, error)
}

// Config is what a server is made of.
type Config struct {
	Actors Actors
	Model  *projections.Model
	Vault  Vault
	// Models are those that bots may name.
	Models Models
	// Answerer answers what is stored nowhere.
	Answerer Answerer
	// Taps tell words while they are said. Patience is how long a call waits
	// for the end of a turn.
	Taps     Taps
	Patience time.Duration
	// Files keeps contents of at most UploadLimit bytes; Tickets signs the
	// addresses that they go to and are had from. Web fetches from the addresses
	// that clients name, and must not reach into the private network.
	Files       Files
	UploadLimit int64
	Tickets     *ticket.Signer
	Web         http.RoundTripper
	// Origin is where clients reach the server, without a slash at the end; ""
	// is wherever their request came to.
	Origin string
	// Inspector is asked by live setups, PublicURL the base of the addresses
	// that Meta is told, without a slash at the end; "" if it is not known.
	Inspector Inspector
	PublicURL string
	// Tokens are accounts by the SHA-256 of their secrets, beside those that
	// the read model knows.
	Tokens map[[sha256.Size]byte]string
	// Rate bounds the requests per second of each secret; 0 does not.
	Rate   float64
	Logger *slog.Logger
	// Metrics is served at /metrics; the server's own are registered with it.
	Metrics *prometheus.Registry
	// Ready tells whether requests can be served; nil error says yes.
	Ready func(context.Context) error
	// Sidelined tells whether other nodes do this one's work for now, so that
	// nobody new should be sent here. nil is never.
	Sidelined func() bool
	// Pages are further handlers by path prefix, for example "/try".
	Pages map[string]http.Handler
}

// maxBody bounds a request's body in bytes. Spec: "Limits".
const maxBody = 4_500_000

// Server answers HTTP requests.
type Server struct {
	app       *fiber.App
	actors    Actors
	model     *projections.Model
	vault     Vault
	inspector Inspector
	models    Models
	answerer  Answerer
	taps      Taps
	patience  time.Duration
	publicURL string
	// external is Config's Origin.
	external    string
	contents    Files
	uploadLimit int64
	tickets     *ticket.Signer
	fetcher     *http.Client
	tokens      map[[sha256.Size]byte]string
	rates       *rates
	logger      *slog.Logger
	ready       func(context.Context) error
	sidelined   func() bool
	metrics     *metrics
	// subscriptions are those that are open.
	subscriptions subscriptions
	departs       atomic.Bool
	// life ends when Shutdown begins.
	life context.Context
	end  context.CancelFunc
}

// New makes a server. It serves nothing until Serve.
func New(c Config) *Server {
	s := &Server{
		actors: c.Actors, model: c.Model, vault: c.Vault, tokens: c.Tokens, rates: newRates(c.Rate), logger: c.Logger, ready: c.Ready, sidelined: c.Sidelined,
		inspector: c.Inspector, models: c.Models, answerer: c.Answerer, taps: c.Taps, patience: c.Patience, publicURL: c.PublicURL, metrics: newMetrics(c.Metrics),
	}
	s.external, s.contents, s.uploadLimit, s.tickets, s.fetcher = c.Origin, c.Files, c.UploadLimit, c.Tickets, newFetcher(c.Web)
	s.subscriptions.open = map[string]int{}
	s.life, s.end = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		Immutable:               true,
		DisableStartupMessage:   true,
		BodyLimit:               maxBody,
		ReadBufferSize:          16 << 10, // bounds the request's headers
		ReadTimeout:             30 * time.Second,
		IdleTimeout:             75 * time.Second,
		ErrorHandler:            s.fail,
		ServerHeader:            "Parley",
		UnescapePath:            true,
		EnableTrustedProxyCheck: true,
		// Bodies are read by their handlers, see incoming.
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
	})
	s.app.Use(s.around)
	s.routes()
	s.app.Get("/healthz", s.healthz)
	s.app.Get("/readyz", s.readyz)
	s.app.Get(descriptionPath, s.describe)
	s.app.Get("/metrics", adaptor.HTTPHandler(promhttp.HandlerFor(c.Metrics, promhttp.HandlerOpts{})))
	for prefix, handler := range c.Pages {
		handler := wholly(adaptor.HTTPHandler(s.within(handler)))
		s.app.All(prefix, handler)
		s.app.All(prefix+"/*", handler)
	}
	return s
}

// prefixes stand before every operation: clients that cannot change their base
// address come without the first /api.
var prefixes = []string{"/api/v1", "/v1"}

// Serve answers requests on a listener until Shutdown, also if that came first.
func (s *Server) Serve(l net.Listener) error {
	door := &lingering{Listener: l}
	defer context.AfterFunc(s.life, door.shut)()
	if err := s.app.Listener(door); err != nil && s.life.Err() == nil {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// Depart serves everybody for a while longer, and tells them to go elsewhere:
// /healthz says that the node leaves, so that a balancer sends nobody new, and
// every answer is the last on its connection. It is for a node with others.
func (s *Server) Depart(ctx context.Context, during time.Duration) {
	s.departs.Store(true)
	select {
	case <-time.After(during):
	case <-ctx.Done():
	}
}

// Shutdown stops accepting and waits for the requests under way, at most until
// the context ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.end()
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	err := s.app.ShutdownWithContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.logger.Warn("connections are cut off that did not end their request")
		return nil
	}
	if err != nil {
		return fmt.Errorf("stop HTTP: %w", err)
	}
	return nil
}

// shutdownTime bounds the wait for requests under way. One that its client
// does not end cannot hold up a stop.
const shutdownTime = 4 * time.Second

// within gives the requests of a page the server's life as their context. Their
// own one is fasthttp's, which may not be used while the server is stopped.
func (s *Server) within(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(s.life)) })
}

// Handler serves requests without a network.
func (s *Server) Handler() http.Handler { return adaptor.FiberApp(s.app) }

// around gives every request an ID, answers what needs no handler, and counts.
func (s *Server) around(c *fiber.Ctx) error {
	began := time.Now()
	c.Set("X-Request-Id", requestID(c))
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	if s.spared() != "" {
		c.Context().SetConnectionClose()
	}
	var err error
	if isAPI(c.Path()) || c.Path() == descriptionPath {
		cors(c)
		if c.Method() == fiber.MethodOptions {
			return c.SendStatus(http.StatusOK)
		}
	}
	if err = c.Next(); err != nil {
		err = s.fail(c, err)
	}
	if !arriving(c).over() {
		linger(c)
	}
	s.metrics.observe(c.Route().Path, c.Response().StatusCode(), time.Since(began))
	return err
}

func isAPI(path string) bool {
	return strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/v1/")
}

// cors lets browsers call the API from anywhere; it has no cookies to protect.
// Spec: "Transport".
func cors(c *fiber.Ctx) {
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	if c.Method() != fiber.MethodOptions {
		c.Set(fiber.HeaderAccessControlExposeHeaders, "Content-Disposition, Retry-After, X-Request-Id, "+positionHeader)
		return
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, POST, PUT")
	c.Set(fiber.HeaderAccessControlAllowHeaders, "X-Requested-With, Accept, Content-Length, Content-Type, Authorization, "+
		"X-RunAs-User-ID, X-RunAs-Child-User-Email, X-Timezone, "+positionHeader)
	c.Set(fiber.HeaderAccessControlMaxAge, "86400")
}

// descriptionPath is where programs find out what there is.
const descriptionPath = "/openapi.json"

// describe answers with the description of the API.
func (s *Server) describe(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(openapi.Description(s.publicURL))
}

func requestID(c *fiber.Ctx) string {
	const key = "request"
	id, ok := c.Locals(key).(string)
	if !ok {
		id = events.NewKey()
		c.Locals(key, id)
	}
	return id
}

func (s *Server) healthz(c *fiber.Ctx) error {
	if why := s.spared(); why != "" {
		return c.Status(http.StatusServiceUnavailable).SendString(why + "\n")
	}
	return c.SendString("ok\n")
}

// spared says why a balancer should send nobody here, or nothing.
func (s *Server) spared() string {
	switch {
	case s.departs.Load():
		return "leaving"
	case s.sidelined != nil && s.sidelined():
		return "other nodes do the work of this one for now"
	}
	return ""
}

func (s *Server) readyz(c *fiber.Ctx) error {
	if err := s.ready(c.UserContext()); err != nil {
		return c.Status(http.StatusServiceUnavailable).SendString("not ready: " + err.Error() + "\n")
	}
	return c.SendString("ready\n")
}
