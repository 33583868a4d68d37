package guard

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	idleTimeout = 90 * time.Second
	maxIdle     = 512
	maxHeader   = 256 << 10 // bytes
)

// Refused says that an address is not public. It comes wrapped in what net/http
// and net make of it; errors.As finds it.
type Refused struct{ Address string }

// Error names the address.
func (r *Refused) Error() string { return r.Address + " is not a public address" }

// Permanent is true: the same request will always be refused.
func (r *Refused) Permanent() bool { return true }

// Transport returns a transport that connects to public addresses only.
//
// Servers of the operator's own are excepted by their base URL, for example
// "http://127.0.0.1:4000"; the port is that of the scheme if none is named.
// Proxies of the environment are not used: behind one nobody here would see
// the address. The error says which exception is not a base URL.
func Transport(exceptions ...string) (*http.Transport, error) {
	open := map[string]bool{}
	for _, e := range exceptions {
		authority, err := authorityOf(e)
		if err != nil {
			return nil, err
		}
		open[authority] = true
	}
	return transport(open, nil), nil
}

// transport connects to the authorities in open wherever they lie.
func transport(open map[string]bool, resolver *net.Resolver) *http.Transport {
	free := &net.Dialer{Timeout: dialTimeout, Resolver: resolver}
	guarded := &net.Dialer{Timeout: dialTimeout, Resolver: resolver, Control: Control}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, authority string) (net.Conn, error) {
			if open[authority] {
				return free.DialContext(ctx, network, authority)
			}
			return guarded.DialContext(ctx, network, authority)
		},
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    dialTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    maxIdle,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// authorityOf is the host and port of a base URL, as net/http dials them.
func authorityOf(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", fmt.Errorf("exception: %w", err)
	}
	port := u.Port()
	switch {
	case u.Hostname() == "":
		return "", fmt.Errorf("exception %q has no host", base)
	case port != "":
	case u.Scheme == "https":
		port = "443"
	case u.Scheme == "http":
		port = "80"
	default:
		return "", fmt.Errorf("exception %q is neither http nor https", base)
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// Control refuses connections to what is not public. It is a net.Dialer's
// Control; the error is a Refused.
func Control(network, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || !IsPublic(a.Addr()) {
		return &Refused{address}
	}
	return nil
}
