package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// lookEvery is the time between looks at the files. Reading them is cheap, and
// does not miss what a link or a time of change would hide.
const lookEvery = 10 * time.Second

// Files is a certificate from files in PEM: the certificate with its chain, and
// its key.
type Files struct {
	cert, key string
	logger    *slog.Logger
	current   atomic.Pointer[tls.Certificate]
	tried     pair // what was read last, good or not
}

// pair is what stands in the files.
type pair struct{ cert, key []byte }

// Open reads the files. Errors say what is wrong with them.
func Open(cert, key string, logger *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, logger: logger}
	if _, err := f.look(); err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return f, nil
}

// Config gives the settings of a listener. They follow the files.
func (f *Files) Config() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil })
}

// Run looks after the files until the context ends. New ones count from the
// next connection on. While they are of no use the last good ones stay, and the
// log says so, once.
func (f *Files) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		changed, err := f.look()
		switch {
		case err != nil && err.Error() != said:
			f.logger.Warn("the new certificate is of no use, the old one stays", "file", f.cert,
				"expires", f.current.Load().Leaf.NotAfter, "err", err)
		case err == nil && changed:
			f.logger.Info("new certificate", "file", f.cert, "expires", f.current.Load().Leaf.NotAfter)
		}
		said = ""
		if err != nil {
			said = err.Error()
		}
	}
}

// look reads the files, and takes what is new and good. It reports whether they
// have changed since the last look.
func (f *Files) look() (changed bool, err error) {
	var now pair
	if now.cert, err = os.ReadFile(f.cert); err != nil {
		return false, err
	}
	if now.key, err = os.ReadFile(f.key); err != nil {
		return false, err
	}
	if bytes.Equal(now.cert, f.tried.cert) && bytes.Equal(now.key, f.tried.key) {
		return false, nil
	}
	f.tried = now
	loaded, err := tls.X509KeyPair(now.cert, now.key)
	if err != nil {
		return true, fmt.Errorf("%s with %s: %w", f.cert, f.key, err)
	}
	f.current.Store(&loaded)
	return true, nil
}
