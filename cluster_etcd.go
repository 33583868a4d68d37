package parley

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"parley/events"
	"parley/http/certs"
)

// EtcdTLS is how a node and etcd prove themselves to each other.
type EtcdTLS struct {
	// On is for etcds://.
	On bool
	// CA is the file of the authority that etcd's certificates are from; "" is
	// any that this machine trusts. Cert and Key are what etcd is shown; "" is
	// nothing. All are files in PEM.
	CA, Cert, Key string
}

// set reads where the other nodes are listed.
func (c *Cluster) set(v string) error {
	if v == "none" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "etcd" && u.Scheme != "etcds" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" {
		return errors.New("must be none, or etcd:// or etcds://[user:password@]host:port, with more hosts after commas") // the value holds a secret
	}
	for endpoint := range strings.SplitSeq(u.Host, ",") {
		if _, port, err := net.SplitHostPort(endpoint); err != nil || port == "" {
			return fmt.Errorf("%q must be host:port", endpoint)
		}
		c.Endpoints = append(c.Endpoints, endpoint)
	}
	password, _ := u.User.Password()
	c.User, c.Password = u.User.Username(), events.NewSecret(password)
	c.TLS.On = u.Scheme == "etcds"
	return c.TLS.set(u.RawQuery)
}

// set reads the files that follow an address. Their names are those of an
// EventStoreDB's.
func (e *EtcdTLS) set(query string) error {
	given, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("what follows the question mark must be as tlsCAFile=/etc/parley/ca.crt, with more after ampersands")
	}
	for name, values := range given {
		file, known := map[string]*string{"tlscafile": &e.CA, "usercertfile": &e.Cert, "userkeyfile": &e.Key}[strings.ToLower(name)]
		switch {
		case !known:
			return fmt.Errorf("%q is none of tlsCAFile, userCertFile and userKeyFile", name)
		case !e.On:
			return fmt.Errorf("%s belongs to etcds://, which is etcd by TLS", name)
		case len(values) != 1 || values[0] == "":
			return fmt.Errorf("%s must name one file", name)
		}
		*file = values[0]
	}
	if (e.Cert == "") != (e.Key == "") {
		return errors.New("userCertFile and userKeyFile belong together")
	}
	return nil
}

// etcdTLS gives how this node speaks with etcd; nil is without TLS. The node's
// certificate follows its files.
func (n *Node) etcdTLS(background context.Context) (*tls.Config, error) {
	e := n.config.Cluster.TLS
	if !e.On {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if e.CA != "" {
		pool, err := authority(e.CA)
		if err != nil {
			return nil, fmt.Errorf("tlsCAFile: %w", err)
		}
		config.RootCAs = pool
	}
	if e.Cert != "" {
		files, err := certs.Open(e.Cert, e.Key, n.logger)
		if err != nil {
			return nil, fmt.Errorf("userCertFile: %w", err)
		}
		n.parts.Go(func() { files.Run(background) })
		current := files.Config().GetCertificate
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return current(nil) }
	}
	return config, nil
}

// authority reads the certificates of an authority.
func authority(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}
