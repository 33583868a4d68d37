// Package certs keeps the certificate that the door shows: one from files,
// which may change, or automatic ones from an authority that speaks ACME.
//
// It makes settings for TLS and nothing else; who listens and what is served is
// not its matter. It is the only door to certmagic.
//
// The rule to keep: once there is a certificate, nothing that goes wrong later
// takes it away.
package certs

import "crypto/tls"

// protoHTTP is the one protocol that is spoken over TLS; HTTP/2 is not.
const protoHTTP = "http/1.1"

// config makes the settings of a listener.
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{GetCertificate: get, MinVersion: tls.VersionTLS12, NextProtos: append([]string{protoHTTP}, protocols...)}
}
