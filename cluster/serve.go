package cluster

import (
	"context"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"parley/actors"
	"parley/domain"
	"parley/events"
)

// The bounds of what nodes send each other.
const (
	maxMessage = 8 << 20 // bytes; what is larger is refused
	maxStreams = 4096    // questions that one node may have under way
)

// The methods that nodes call.
const (
	service    = "parley.cluster.Node"
	askMethod  = "/" + service + "/Ask"
	pingMethod = "/" + service + "/Ping"
)

// ping asks whether a member is there. Answering is enough.
type ping struct {
	To string `msgpack:"to"` // the member that is meant
}

// pong answers a ping.
type pong struct {
	ID string `msgpack:"id"` // the member that is here; "" if it leaves
	// Unfit says that it cannot do its work.
	Unfit bool `msgpack:"un,omitempty"`
}

// serve answers other nodes on a listener until the server is stopped.
func (n *Node) serve(l net.Listener) {
	n.server = grpc.NewServer(
		grpc.Creds(n.config.credentials()), grpc.ForceServerCodec(codec{}),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(maxStreams),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	n.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service, HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Ask", Handler: unary(func(ctx context.Context, q *question) (*reply, error) {
				return n.answerNode(ctx, q), nil
			})},
			{MethodName: "Ping", Handler: unary(func(context.Context, *ping) (*pong, error) {
				if n.stopped.Load() {
					return &pong{}, nil
				}
				return &pong{ID: n.self.ID, Unfit: !n.view.fit()}, nil
			})},
		},
		Streams: []grpc.StreamDesc{{StreamName: "Listen", Handler: n.tell, ServerStreams: true}},
	}, n)
	n.parts.Go(func() {
		if err := n.server.Serve(l); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			n.config.Logger.Error("other nodes cannot reach this one any more", "err", err)
		}
	})
}

// unary makes a gRPC handler of a function.
func unary[Q, R any](handle func(context.Context, *Q) (*R, error)) grpc.MethodHandler {
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		q := new(Q)
		if err := decode(q); err != nil {
			return nil, err
		}
		return handle(ctx, q)
	}
}

// answerNode answers another node's question. Whatever is wrong with it is in
// the reply: an error here would look as if the link were broken.
func (n *Node) answerNode(ctx context.Context, q *question) *reply {
	body, err := n.wire.unpack(q.Body)
	switch {
	case n.stopped.Load(), q.Node != "" && q.Node != n.self.ID:
		return &reply{Outcome: leaving}
	case errors.Is(err, actors.ErrNewer):
		return &reply{Outcome: newer, Detail: err.Error()}
	case err != nil:
		return &reply{Outcome: refused, Refusal: domain.Refused(domain.Invalid, "", err.Error())}
	case n.Sidelined():
		return &reply{Outcome: unfit}
	case !q.Insist && !n.Owns(q.To):
		return &reply{Outcome: elsewhere}
	}
	r := actors.Request{To: q.To, Question: body}
	if q.Command {
		r.Question = nil
		r.Command = domain.Command{
			ID: q.ID, At: events.Instant(q.At), Account: q.Account, Correlation: q.Correlation, Causation: q.Causation, Body: body,
		}
	}
	return n.replyOf(n.here(ctx, r))
}

// replyOf writes down what an actor answered.
func (n *Node) replyOf(a actors.Reply) *reply {
	var refusal *domain.Error
	switch {
	case errors.As(a.Err, &refusal):
		return &reply{Outcome: refused, Refusal: refusal}
	case errors.Is(a.Err, actors.ErrBusy):
		return &reply{Outcome: busy}
	case errors.Is(a.Err, actors.ErrNewer):
		return &reply{Outcome: newer, Detail: a.Err.Error()}
	case errors.Is(a.Err, errLeaving): // since it was let in
		return &reply{Outcome: leaving}
	case a.Err != nil:
		return &reply{Outcome: unavailable, Detail: a.Err.Error()}
	}
	answer, err := n.wire.pack(a.Answer)
	if err != nil {
		return &reply{Outcome: unavailable, Detail: err.Error()}
	}
	return &reply{Revision: int64(a.Result.Revision), Position: uint64(a.Result.Position), Answer: answer}
}

// question makes the form in which a request travels.
func (n *Node) question(r actors.Request, insist bool) (*question, error) {
	body, err := n.wire.pack(r.Question)
	if r.Question == nil {
		body, err = n.wire.pack(r.Command.Body)
	}
	c := r.Command
	return &question{
		To: r.To, Command: r.Question == nil, ID: c.ID, At: int64(c.At), Account: c.Account,
		Correlation: c.Correlation, Causation: c.Causation, Body: body, Insist: insist,
	}, err
}
