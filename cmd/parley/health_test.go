package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealth(t *testing.T) {
	status := http.StatusOK
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("%s is asked for", r.URL)
		}
		w.WriteHeader(status)
		fmt.Fprintln(w, "so it is")
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	everywhere := strings.Replace(plain.Listener.Addr().String(), "127.0.0.1", "0.0.0.0", 1)
	_, port, _ := net.SplitHostPort(everywhere)
	certificate := []string{"--listen", secure.Listener.Addr().String(), "--tls-cert", "c", "--tls-key", "k"}
	for name, args := range map[string][]string{
		"an address": {"--listen", plain.Listener.Addr().String()}, "every address": {"--listen", everywhere}, "a port": {"--listen", ":" + port},
		"a certificate": certificate, "an automatic one": {"--listen", secure.Listener.Addr().String(), "--tls-hosts", "bot.example.org"},
	} {
		for status = range map[int]bool{http.StatusOK: true, http.StatusServiceUnavailable: true} {
			var out strings.Builder
			err := run(t.Context(), append([]string{"health"}, args...), &out)
			if (err == nil) != (status == http.StatusOK) || out.String() != "so it is\n" {
				t.Errorf("%s, %d: %v %q", name, status, err, out.String())
			}
		}
	}
	plain.Close()
	if err := run(t.Context(), []string{"health", "--listen", plain.Listener.Addr().String()}, new(strings.Builder)); err == nil {
		t.Error("nobody listens, and that is well")
	}
}
