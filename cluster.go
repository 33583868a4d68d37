package parley

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"parley/cluster"
	"parley/cluster/etcd"
	"parley/events"
	"parley/http/certs"
)

// Cluster says which nodes this one belongs with.
type Cluster struct {
	// Endpoints are the addresses of etcd's members, "host:port". Without any
	// there are no other nodes.
	Endpoints []string
	// User and Password are etcd's; "" where it asks for none.
	User     string
	Password events.Secret
	// TLS is how this node and etcd prove themselves to each other.
	TLS EtcdTLS
	// Name tells one cluster of nodes from others in the same etcd.
	Name string
	// Listen is where other nodes reach this one, and Address what they dial.
	Listen, Address string
	// Cert and Key are this node's in PEM, and CA the authority that all nodes'
	// are from; without them there is no TLS.
	Cert, Key, CA string
	// CertName is the name in all nodes' certificates, where it is not the
	// address that is dialed; "" is that address.
	CertName string
}

// ErrLost says that the other nodes took this one for gone, and work in its
// place. The process must end and be started anew.
var ErrLost = cluster.ErrLost

func (c *Cluster) setName(v string) error {
	if v == "" || strings.Contains(v, "/") {
		return errors.New("must be a name without a slash")
	}
	c.Name = v
	return nil
}

func (c Cluster) on() bool { return len(c.Endpoints) > 0 }

// check looks at what the settings say together. What nodes do not share they
// would each make for themselves, and not understand each other's data.
func (c Cluster) check(all Config) error {
	switch {
	case !c.on():
		return nil
	case isLocal(all.Events):
		return errors.New("PARLEY_CLUSTER needs a log that all nodes share: set PARLEY_EVENTS to an EventStoreDB, or to what parley log serve serves")
	case all.MasterKeyFile == "":
		return errors.New("PARLEY_CLUSTER needs PARLEY_MASTER_KEY_FILE: all nodes must have the same key")
	case all.Media == "":
		return errors.New("PARLEY_CLUSTER needs PARLEY_MEDIA: all nodes must share one media store")
	case c.Listen == "":
		return errors.New("PARLEY_CLUSTER needs PARLEY_CLUSTER_LISTEN: other nodes must reach this one")
	case (c.Cert == "") != (c.Key == "") || (c.Cert == "") != (c.CA == ""):
		return errors.New("PARLEY_CLUSTER_TLS_CERT, PARLEY_CLUSTER_TLS_KEY and PARLEY_CLUSTER_TLS_CA belong together")
	case c.CertName != "" && c.Cert == "":
		return errors.New("PARLEY_CLUSTER_TLS_NAME is the name in certificates, which PARLEY_CLUSTER_TLS_CERT, PARLEY_CLUSTER_TLS_KEY and PARLEY_CLUSTER_TLS_CA name")
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("PARLEY_CLUSTER_LISTEN: %w", err)
	}
	if ip := net.ParseIP(cmp.Or(host, "0.0.0.0")); ip != nil { // others are resolved when they are listened on
		return c.checkIP(ip)
	}
	return nil
}

// checkIP refuses to be reached by everybody without TLS.
func (c Cluster) checkIP(ip net.IP) error {
	if c.Cert != "" || ip.IsLoopback() || ip.IsPrivate() {
		return nil
	}
	return fmt.Errorf("PARLEY_CLUSTER_LISTEN is %s: beyond a private network nodes need PARLEY_CLUSTER_TLS_CERT, PARLEY_CLUSTER_TLS_KEY and PARLEY_CLUSTER_TLS_CA", c.Listen)
}

// listen opens the address at which other nodes reach this one, and gives the
// one that they dial.
func (c Cluster) listen() (net.Listener, string, error) {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, "", fmt.Errorf("PARLEY_CLUSTER_LISTEN: %w", err)
	}
	ip := l.Addr().(*net.TCPAddr).IP
	if err = c.checkIP(ip); err == nil && ip.IsUnspecified() && c.Address == "" {
		err = errors.New("PARLEY_CLUSTER_LISTEN is every address of this machine: PARLEY_CLUSTER_ADDRESS must say which one other nodes dial")
	}
	if err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return l, cmp.Or(c.Address, l.Addr().String()), nil
}

// clusterTLS gives how nodes prove themselves to each other: both sides show a
// certificate of the authority. It is nil without TLS.
func (n *Node) clusterTLS(background context.Context) (*tls.Config, error) {
	c := n.config.Cluster
	if c.Cert == "" {
		return nil, nil
	}
	pool, err := authority(c.CA)
	if err != nil {
		return nil, fmt.Errorf("PARLEY_CLUSTER_TLS_CA: %w", err)
	}
	files, err := certs.Open(c.Cert, c.Key, n.logger)
	if err != nil {
		return nil, fmt.Errorf("PARLEY_CLUSTER_TLS_CERT: %w", err)
	}
	n.parts.Go(func() { files.Run(background) })
	current := files.Config().GetCertificate
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, RootCAs: pool, ServerName: c.CertName,
		GetCertificate:       current,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return current(nil) },
	}, nil
}

// joining gives how this node finds the others, to be completed with its
// actors. One without others is the only one that it finds.
func (n *Node) joining(background context.Context) (c cluster.Config, err error) {
	if !n.config.Cluster.on() {
		return cluster.Config{Registry: &cluster.Alone{}}, nil
	}
	s := n.config.Cluster
	if c.TLS, err = n.clusterTLS(background); err != nil {
		return c, err
	}
	door, err := n.etcdTLS(background)
	if err != nil {
		return c, fmt.Errorf("PARLEY_CLUSTER: %w", err)
	}
	registry, err := etcd.Open(etcd.Config{Endpoints: s.Endpoints, User: s.User, Password: s.Password.Reveal(), TLS: door, Name: s.Name})
	if err != nil {
		return c, err
	}
	c.Registry, n.registry = registry, registry
	c.Listener, c.Address, err = s.listen()
	return c, err
}

// reaches tells whether the log can be reached.
func (n *Node) reaches(ctx context.Context) error {
	_, err := n.store.Head(ctx)
	return err
}

// watchPlace ends the node when the others take it for gone.
func (n *Node) watchPlace(background context.Context) {
	select {
	case <-background.Done():
	case err := <-n.cluster.Lost():
		n.lost.Store(true)
		n.fail(err)
	}
}
