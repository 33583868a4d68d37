package guard

import (
	"net"
	"net/http"
)

// TransportWith looks names up with a resolver.
func TransportWith(r *net.Resolver, open ...string) *http.Transport {
	authorities := map[string]bool{}
	for _, o := range open {
		authorities[o] = true
	}
	return transport(authorities, r)
}
