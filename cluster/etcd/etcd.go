// Package etcd is a registry of nodes in etcd: a key for each member, which goes
// with its lease when the member falls silent. It is not a place for anything
// else.
//
// The rule to keep: a lease that is lost is never taken up again. The others
// have this node's actors by then, and its process ends.
package etcd

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	client "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"parley/cluster"
)

// Config says where the registry is.
type Config struct {
	// Endpoints are the addresses of etcd's members, "host:port" or URLs.
	Endpoints []string
	// User and Password are etcd's; "" where it asks for none.
	User, Password string
	// TLS is how to speak with etcd; nil is without TLS.
	TLS *tls.Config
	// Name tells one cluster of nodes from others in the same etcd.
	Name string
	// TTL is how long a silent member is believed; it counts in whole seconds,
	// and 0 is 3 s.
	TTL time.Duration
}

// Registry is one node's place in the registry. It is used for one member.
type Registry struct {
	client *client.Client
	prefix string
	ttl    int64
	// endpoints and tls are how to speak with etcd by HTTP.
	endpoints []string
	tls       *tls.Config

	lease client.LeaseID // 0 before the first heartbeat
}

var _ cluster.Registry = (*Registry)(nil)

// timeout bounds one heartbeat: what takes longer is made again.
const timeout = time.Second

// Open connects with etcd. It need not be there yet.
func Open(c Config) (*Registry, error) {
	if c.TTL == 0 {
		c.TTL = 3 * time.Second
	}
	endpoints := slices.Clone(c.Endpoints)
	for i, e := range endpoints {
		if c.TLS != nil && !strings.Contains(e, "://") {
			endpoints[i] = "https://" + e
		}
	}
	cl, err := client.New(client.Config{
		Endpoints: endpoints, TLS: c.TLS, Username: c.User, Password: c.Password, DialTimeout: timeout,
		DialKeepAliveTime: 5 * time.Second, DialKeepAliveTimeout: timeout,
		Logger: zap.NewNop(), // what fails is returned
	})
	if err != nil {
		return nil, fmt.Errorf("connect with etcd: %w", err)
	}
	return &Registry{client: cl, endpoints: endpoints, tls: c.TLS, prefix: "/parley/" + c.Name + "/nodes/", ttl: int64(max(1, c.TTL.Seconds()))}, nil
}

// Close ends the connection. A member that did not leave is believed until its
// time is over.
func (r *Registry) Close() error { return r.client.Close() }

// Heartbeat implements cluster.Registry.
func (r *Registry) Heartbeat(ctx context.Context, self cluster.Member) ([]cluster.Member, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := r.renew(ctx, self); err != nil {
		return nil, err
	}
	found, err := r.client.Get(ctx, r.prefix, client.WithPrefix())
	if err != nil {
		return nil, fmt.Errorf("list the nodes: %w", err)
	}
	var members []cluster.Member
	listed := false
	for _, kv := range found.Kvs {
		var m cluster.Member
		if err := json.Unmarshal(kv.Value, &m); err != nil {
			return nil, fmt.Errorf("read the node %s: %w", kv.Key, err)
		}
		members, listed = append(members, m), listed || m == self
	}
	if !listed {
		return nil, fmt.Errorf("%w: the registry does not list this node", cluster.ErrLost)
	}
	return members, nil
}

// renew keeps the member's lease, or begins it.
func (r *Registry) renew(ctx context.Context, self cluster.Member) error {
	if r.lease != 0 {
		_, err := r.client.KeepAliveOnce(ctx, r.lease)
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return fmt.Errorf("%w: its lease has ended", cluster.ErrLost)
		}
		return err
	}
	lease, err := r.client.Grant(ctx, r.ttl)
	if err != nil {
		return fmt.Errorf("begin a lease: %w", r.explain(ctx, err))
	}
	value, err := json.Marshal(self)
	if err != nil {
		return err
	}
	if _, err = r.client.Put(ctx, r.prefix+self.ID, string(value), client.WithLease(lease.ID)); err != nil {
		return fmt.Errorf("enter the node: %w", err)
	}
	r.lease = lease.ID
	return nil
}

// Leave implements cluster.Registry.
func (r *Registry) Leave(ctx context.Context, _ cluster.Member) error {
	if r.lease == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := r.client.Revoke(ctx, r.lease)
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return fmt.Errorf("leave the registry: %w", err)
	}
	return nil
}
