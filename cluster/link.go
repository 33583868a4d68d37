package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"parley/actors"
	"parley/domain"
	"parley/events"
)

// link is the way to one other member.
type link struct {
	member     Member
	connection *grpc.ClientConn
	// misses counts the pings in a row that were not answered; cut says that
	// the member is left out until one is. Both belong to the view's mutex.
	misses int
	cut    bool
	// health is what the member says of itself. It belongs to the mutex, too.
	health health
}

// dial prepares a link. It connects when it is first used, and anew when the
// connection breaks.
func (n *Node) dial(m Member) (*link, error) {
	l := &link{member: m, health: sure}
	connection, err := grpc.NewClient("passthrough:///"+m.Address,
		grpc.WithTransportCredentials(n.config.credentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{}), grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 500 * time.Millisecond},
			MinConnectTimeout: time.Second,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 2 * time.Second}),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if errors.Is(err, syscall.ECONNREFUSED) {
				n.view.refused(l)
			}
			return conn, err
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("link to %s: %w", m.Address, err)
	}
	l.connection = connection
	return l, nil
}

// attemptTime bounds one attempt to ask another node.
const attemptTime = 2 * time.Second

// there asks an actor on another node, once. retry says that another attempt
// may get an answer; insist that it should insist on the node.
func (n *Node) there(ctx context.Context, l *link, q *question) (a actors.Reply, retry, insist bool) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	var r reply
	q.Node = l.member.ID
	if err := l.connection.Invoke(ctx, askMethod, q, &r); err != nil {
		tooLarge := status.Code(err) == codes.ResourceExhausted // and will be
		return actors.Reply{Err: fmt.Errorf("%w: ask %s on %s: %w", actors.ErrUnavailable, q.To, l.member.Address, err)}, !tooLarge, false
	}
	switch r.Outcome {
	case leaving:
		n.view.refused(l)
	case unfit:
		n.view.sidelined(l)
	}
	return n.read(&r, l.member.Address, q.To)
}

// read gives what a reply says, and whether another attempt may get an answer.
func (n *Node) read(r *reply, from string, to domain.Address) (a actors.Reply, retry, insist bool) {
	switch {
	case r.Outcome == answered:
		answer, err := n.wire.unpack(r.Answer)
		if err != nil {
			return actors.Reply{Err: fmt.Errorf("%w: %w", actors.ErrUnavailable, err)}, false, false
		}
		result := domain.Result{Revision: events.Revision(r.Revision), Position: events.Position(r.Position)}
		return actors.Reply{Result: result, Answer: answer}, false, false
	case r.Outcome == refused && r.Refusal != nil:
		return actors.Reply{Err: r.Refusal}, false, false
	case r.Outcome == busy:
		return actors.Reply{Err: actors.ErrBusy}, false, false
	case r.Outcome == newer:
		return actors.Reply{Err: fmt.Errorf("%w: %w: %s says of %s: %s", actors.ErrUnavailable, actors.ErrNewer, from, to, r.Detail)}, true, true
	case r.Outcome == leaving, r.Outcome == elsewhere, r.Outcome == unfit:
		err := fmt.Errorf("%w: %s says of %s: %s", actors.ErrUnavailable, from, to, r.Outcome)
		return actors.Reply{Err: err}, true, r.Outcome == elsewhere
	}
	return actors.Reply{Err: fmt.Errorf("%w: %s says of %s: %s", actors.ErrUnavailable, from, to, r.Detail)}, false, false
}
