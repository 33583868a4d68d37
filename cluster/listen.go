package cluster

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc"

	"parley/domain"
)

// Taps let one listen to turns that are under way on this node.
type Taps interface {
	// Listen lets one hear what is said in a turn. The channel is closed when
	// the turn is over; stop ends the listening.
	Listen(turn string) (pieces <-chan string, stop func())
}

// The bounds of listening to other nodes.
const (
	// maxListening bounds the turns that are heard from elsewhere at a time. It
	// leaves most of maxStreams to questions.
	maxListening = 1024
	// listenTime is how long another node may take to begin.
	listenTime = 500 * time.Millisecond
	// tellEvery is how long words may wait for others, to be told with them.
	tellEvery = 50 * time.Millisecond
)

const listenMethod = "/" + service + "/Listen"

// listen asks to hear a turn.
type listen struct {
	Turn string `msgpack:"tn"`
}

// words are what was said since the last ones.
type words struct {
	Text string `msgpack:"tx"`
}

// Listen lets one hear what is said in a turn of an actor from now on, on
// whichever node. It is a courtesy: words may be missing, and none come after
// the actor has moved. The channel is closed when the turn is over or cannot be
// heard any more, and nil if it cannot be heard at all. stop ends the listening,
// and must be called.
func (n *Node) Listen(ctx context.Context, to domain.Address, turn string) (pieces <-chan string, stop func()) {
	now := n.view.ring.Load()
	m, ok := owner(now.members, to)
	switch {
	case !ok || m == n.self:
		return n.listenHere(turn)
	case n.listening.Add(1) > maxListening:
		n.listening.Add(-1)
		return nil, func() {}
	}
	ctx, hangUp := context.WithCancel(ctx)
	stream, err := begin(ctx, hangUp, now.links[m.ID], turn)
	if err != nil {
		n.config.Logger.Debug("a turn on another node cannot be heard", "node", m.ID, "turn", turn, "err", err)
		hangUp()
		n.listening.Add(-1)
		return nil, func() {}
	}
	heard, ended := make(chan string), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(heard)
		follow(ctx, stream, heard)
	}()
	return heard, func() {
		hangUp()
		<-ended
		n.listening.Add(-1)
	}
}

func (n *Node) listenHere(turn string) (pieces <-chan string, stop func()) {
	if n.config.Taps == nil {
		return nil, func() {}
	}
	return n.config.Taps.Listen(turn)
}

// begin returns when another node listens to a turn for this one.
func begin(ctx context.Context, hangUp func(), l *link, turn string) (grpc.ClientStream, error) {
	late := time.AfterFunc(listenTime, hangUp)
	defer late.Stop()
	stream, err := l.connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, listenMethod)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&listen{Turn: turn}); err != nil {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	_, err = stream.Header()
	return stream, err
}

// follow passes on what another node tells, to its end.
func follow(ctx context.Context, stream grpc.ClientStream, heard chan<- string) {
	for {
		var said words
		if stream.RecvMsg(&said) != nil { // the end, or nothing more can be heard
			return
		}
		select {
		case heard <- said.Text:
		case <-ctx.Done():
			return
		}
	}
}

// tell lets another node hear a turn.
func (n *Node) tell(_ any, stream grpc.ServerStream) error {
	var asked listen
	if err := stream.RecvMsg(&asked); err != nil {
		return err
	}
	pieces, stop := n.listenHere(asked.Turn)
	defer stop()
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	every := time.NewTicker(tellEvery)
	defer every.Stop()
	var said strings.Builder
	for {
		select {
		case piece, more := <-pieces:
			said.WriteString(piece)
			if more {
				continue
			}
			return send(stream, &said)
		case <-every.C:
			if err := send(stream, &said); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}

// send tells what was said, if anything was.
func send(stream grpc.ServerStream, said *strings.Builder) error {
	if said.Len() == 0 {
		return nil
	}
	defer said.Reset()
	return stream.SendMsg(&words{Text: said.String()})
}
