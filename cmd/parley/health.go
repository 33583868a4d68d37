package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"parley"
)

// healthTime bounds the wait for the answer.
const healthTime = 2 * time.Second

// health asks the server that runs with the same settings on this machine
// whether it lives, and prints what it says. It is an error if it does not, or
// leaves: a container's health check needs no other program.
func health(ctx context.Context, args []string, out io.Writer) error {
	config, err := parley.LoadConfig("health", args, os.Getenv, out)
	if err != nil {
		return err
	}
	address, err := dialed(config.Listen)
	if err != nil {
		return err
	}
	scheme, secure := "http", &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} // whoever listens there is the server
	if config.TLS.Cert != "" || len(config.TLS.Hosts) > 0 {
		scheme = "https"
	}
	if len(config.TLS.Hosts) > 0 {
		secure.ServerName = config.TLS.Hosts[0]
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+address+"/healthz", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: healthTime, Transport: &http.Transport{TLSClientConfig: secure, DisableKeepAlives: true}}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close() // read to the end below
	if _, err := io.Copy(out, io.LimitReader(response.Body, 1<<10)); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", response.Status)
	}
	return nil
}

// dialed is where a server can be reached that listens at an address, which may
// be every one of this machine.
func dialed(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("PARLEY_LISTEN: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}
