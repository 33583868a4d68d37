package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
)

// Options say which certificates to get, and how.
type Options struct {
	// Hosts are the names to get certificates for, at least one. The first is
	// shown to clients that name none.
	Hosts []string
	// Dir keeps certificates, keys and the account at the authority.
	Dir string
	// CA is the address of the authority's ACME directory; "" is Let's Encrypt.
	CA string
	// Roots are trusted when the authority is talked to; nil is the system's.
	Roots *x509.CertPool
	// TLS is where Config is listened with. Strangers reach it at port 443: the
	// authority proves there that the hosts are ours (TLS-ALPN-01).
	TLS net.Addr
	// HTTP is where Challenges is listened with, and strangers reach it at port
	// 80; nil if nowhere. It is another way to prove it (HTTP-01).
	HTTP   net.Addr
	Logger *slog.Logger
}

// Automatic gets certificates and renews them in time. Make it with
// NewAutomatic.
type Automatic struct {
	hosts  []string
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer
	cache  *certmagic.Cache
}

// NewAutomatic makes it. It asks nobody for anything until Start. Stop it also
// if it was never started.
func NewAutomatic(o Options) *Automatic {
	a := &Automatic{hosts: o.Hosts}
	logger := zapTo(o.Logger)
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
		Logger:           logger,
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: storage{&certmagic.FileStorage{Path: o.Dir}}, DefaultServerName: o.Hosts[0], Logger: logger,
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			if event == "cert_obtained" {
				o.Logger.Info("new certificate", "host", data["identifier"], "renewed", data["renewal"])
			}
			return nil
		},
	})
	template := certmagic.ACMEIssuer{
		CA: o.CA, TrustedRoots: o.Roots, Logger: logger,
		Agreed:               true, // by who names hosts
		DisableHTTPChallenge: o.HTTP == nil,
	}
	// Where we listen already, certmagic leaves the port to us.
	template.ListenHost, template.AltTLSALPNPort = split(o.TLS)
	if o.HTTP != nil {
		_, template.AltHTTPPort = split(o.HTTP)
	}
	a.issuer = certmagic.NewACMEIssuer(a.magic, template)
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return a
}

func split(a net.Addr) (host string, port int) {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.IP.String(), tcp.Port
	}
	return "", 0
}

// Start begins to get what is missing and to renew what ends, and goes on until
// the context ends. What fails is logged, and tried again later.
func (a *Automatic) Start(ctx context.Context) error { return a.magic.ManageAsync(ctx, a.hosts) }

// Stop ends the care for the certificates.
func (a *Automatic) Stop() { a.cache.Stop() }

// Config gives the settings of the listener at Options.TLS. While there is no
// certificate yet connections are refused.
func (a *Automatic) Config() *tls.Config {
	return config(a.magic.GetCertificate, acmez.ACMETLS1Protocol)
}

// Challenges answers the authority at Options.HTTP, and leaves everything else
// to next.
func (a *Automatic) Challenges(next http.Handler) http.Handler {
	return a.issuer.HTTPChallengeHandler(next)
}

// Redirect sends who comes without TLS to the same page at a base address, for
// example "https://example.org". If the base names no host, like
// "https://:443", it is the one that was asked for. What would change something
// is refused: it may have shown its secret to everybody on the way already.
func Redirect(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "use https", http.StatusForbidden)
			return
		}
		http.Redirect(w, r, withHost(base, r.Host)+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}

// withHost puts a host into an address that has none.
func withHost(base, asked string) string {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() != "" && !net.ParseIP(u.Hostname()).IsUnspecified() {
		return base
	}
	host := asked
	if name, _, err := net.SplitHostPort(asked); err == nil {
		host = name
	}
	if port := u.Port(); port != "" && port != "443" {
		host = net.JoinHostPort(host, port)
	}
	return "https://" + host
}

// NewPlainServer makes the server beside the one with TLS.
func NewPlainServer(h http.Handler) *http.Server {
	const time = 10 * time.Second
	return &http.Server{Handler: h, ReadTimeout: time, WriteTimeout: time, IdleTimeout: time, MaxHeaderBytes: 16 << 10}
}
