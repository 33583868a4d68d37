package etcd

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// explain finds out why etcd does not answer, which its client does not tell:
// it tries again until the time is over. etcd says its version by HTTP at the
// same address, to whoever may speak with it.
func (r *Registry) explain(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	transport := &http.Transport{TLSClientConfig: r.tls.Clone(), ResponseHeaderTimeout: timeout / 2}
	defer transport.CloseIdleConnections()
	for _, e := range r.endpoints {
		if !strings.Contains(e, "://") {
			e = "http://" + e
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, e+"/version", nil)
		if err != nil {
			return cause
		}
		response, err := transport.RoundTrip(request)
		if err != nil && r.tls == nil {
			return fmt.Errorf("%w: %s: %w (does it want TLS?)", cause, e, err)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", cause, e, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%w: %s answers %s", cause, e, response.Status)
		}
	}
	return cause
}
