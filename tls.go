package parley

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"parley/http/certs"
)

// TLS says which certificate the door shows: one from files, or automatic ones
// for hosts. The zero TLS is none.
type TLS struct {
	Cert, Key string
	Hosts     []string
	// CA is the ACME directory that automatic certificates come from.
	CA string
	// Plain is the address of a second door, without TLS, that leads to the
	// first and lets the authority in; "" is none.
	Plain string
}

// hostName is a name that a certificate can be got for by showing that it leads
// here: of two labels at least, and without a wildcard.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func hosts(v string) (list []string, err error) {
	for host := range strings.SplitSeq(v, ",") {
		if host = strings.ToLower(strings.TrimSpace(host)); host == "" {
			continue
		}
		if len(host) > 253 || !hostName.MatchString(host) {
			return nil, fmt.Errorf("%q must be the name of a host, for example bot.example.org", host)
		}
		if !slices.Contains(list, host) {
			list = append(list, host)
		}
	}
	return list, nil
}

// check looks at what the settings say together.
func (t TLS) check() error {
	switch {
	case (t.Cert == "") != (t.Key == ""):
		return errors.New("PARLEY_TLS_CERT and PARLEY_TLS_KEY belong together")
	case t.Cert != "" && len(t.Hosts) > 0:
		return errors.New("PARLEY_TLS_HOSTS gets certificates; with PARLEY_TLS_CERT there is one already")
	case t.Plain != "" && !t.on():
		return errors.New("PARLEY_TLS_PLAIN leads to TLS, which needs PARLEY_TLS_CERT and PARLEY_TLS_KEY, or PARLEY_TLS_HOSTS")
	}
	return nil
}

func (t TLS) on() bool { return t.Cert != "" || len(t.Hosts) > 0 }

// publicURL is the address that is most likely the public one. A host's is at
// port 443: the authority has seen it there.
func (t TLS) publicURL(listen string) string {
	switch {
	case len(t.Hosts) > 0:
		return "https://" + t.Hosts[0]
	case t.on():
		return "https://" + callable(listen)
	}
	return "http://" + callable(listen)
}

// callable is where one calls what listens at an address: every address of a
// machine is none that can be called.
func callable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// secure gives the listener of the door, with TLS if that is set. Handshakes
// are for those who serve the connections.
func (n *Node) secure(background context.Context) (net.Listener, error) {
	switch t := n.config.TLS; {
	case n.listener == nil || !t.on():
		return n.listener, nil
	case len(t.Hosts) > 0:
		return n.secureAutomatically(background)
	}
	return n.secureByFiles(background)
}

func (n *Node) secureByFiles(background context.Context) (net.Listener, error) {
	files, err := certs.Open(n.config.TLS.Cert, n.config.TLS.Key, n.logger)
	if err != nil {
		return nil, err
	}
	plain, err := n.listenPlain()
	if err != nil {
		return nil, err
	}
	n.parts.Go(func() { files.Run(background) })
	n.servePlain(plain, certs.Redirect(n.config.PublicURL))
	return tls.NewListener(n.listener, files.Config()), nil
}

func (n *Node) secureAutomatically(background context.Context) (net.Listener, error) {
	plain, err := n.listenPlain()
	if err != nil {
		return nil, err
	}
	t := n.config.TLS
	options := certs.Options{
		Hosts: t.Hosts, Dir: certsDir(n.config), CA: t.CA, TLS: n.listener.Addr(), Logger: n.logger,
	}
	if plain != nil {
		options.HTTP = plain.Addr()
	}
	automatic := certs.NewAutomatic(options)
	n.parts.Go(func() { <-background.Done(); automatic.Stop() })
	n.servePlain(plain, automatic.Challenges(certs.Redirect(n.config.PublicURL)))
	return tls.NewListener(n.listener, automatic.Config()), automatic.Start(background)
}

// listenPlain opens the second door; nil if there is none.
func (n *Node) listenPlain() (net.Listener, error) {
	if n.config.TLS.Plain == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", n.config.TLS.Plain)
	if err != nil {
		return nil, fmt.Errorf("PARLEY_TLS_PLAIN: %w", err)
	}
	return l, nil
}

func (n *Node) servePlain(l net.Listener, h nethttp.Handler) {
	if l == nil {
		return
	}
	n.plain = certs.NewPlainServer(h)
	n.parts.Go(func() {
		if err := n.plain.Serve(l); !errors.Is(err, nethttp.ErrServerClosed) {
			n.fail(fmt.Errorf("serve %s: %w", l.Addr(), err))
		}
	})
}

// certsDir is where automatic certificates are kept.
func certsDir(c Config) string { return filepath.Join(c.Data, "certs") }
