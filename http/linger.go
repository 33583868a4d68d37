package http

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// A connection that is closed while the client still sends is reset, and the
// client may never see why its request was refused. A lingering connection
// reads on for a while before it closes.
const (
	lingerFor   = 5 * time.Second
	lingerBytes = 64 << 20
)

type lingering struct {
	net.Listener
	once sync.Once
	err  error
}

// Close closes the listener, the first time.
func (l *lingering) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}

func (l *lingering) shut() { _ = l.Close() } // whoever closes it again is told

// Accept wraps the connection. A handshake is for whoever serves it: here it
// would keep the next one waiting.
func (l *lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if secure, ok := c.(*tls.Conn); ok {
		return &secureConn{lingeringConn{Conn: c}, secure}, nil
	}
	return &lingeringConn{Conn: c}, nil
}

type lingeringConn struct {
	net.Conn
	linger bool
}

// stall bounds the time that a client may take to read what one write gave it.
const stall = 30 * time.Second

// Write gives the client anew the time to read: streams may be long, but not
// left unread.
func (c *lingeringConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// lingers is what both kinds of connections can.
type lingers interface{ setLinger() }

func (c *lingeringConn) setLinger() { c.linger = true }

// Close closes at once, or after the client has finished.
func (c *lingeringConn) Close() error {
	tcp := c.closeWrite()
	if tcp == nil {
		return c.Conn.Close()
	}
	go func() {
		_ = tcp.SetReadDeadline(time.Now().Add(lingerFor)) // then the copy ends by itself
		_, _ = io.Copy(io.Discard, io.LimitReader(tcp, lingerBytes))
		_ = tcp.Close()
	}()
	return nil
}

// closeWrite says that nothing more is written, and gives what is still to be
// read from. It is nil if the connection does not linger.
func (c *lingeringConn) closeWrite() *net.TCPConn {
	if !c.linger {
		return nil
	}
	conn := c.Conn
	if secure, ok := conn.(*tls.Conn); ok {
		if secure.CloseWrite() != nil {
			return nil
		}
		conn = secure.NetConn()
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok || tcp.CloseWrite() != nil {
		return nil
	}
	return tcp
}

// secureConn is one with TLS. It has the methods by which fasthttp knows that,
// and bounds the time of the handshake.
type secureConn struct {
	lingeringConn
	tls *tls.Conn
}

// ConnectionState is tls.Conn's.
func (c *secureConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// Handshake shakes hands. Who comes without TLS is told so in plain text.
func (c *secureConn) Handshake() error {
	err := c.tls.Handshake()
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader[:]) {
		_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nThis server speaks HTTPS: call it by https://.\n")
	}
	return err
}

// looksLikeHTTP reports that a connection's first bytes are those of a request.
func looksLikeHTTP(head []byte) bool {
	for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"} {
		if string(head) == method {
			return true
		}
	}
	return false
}

// linger makes the request's connection close gently.
func linger(c *fiber.Ctx) {
	if conn, ok := c.Context().Conn().(lingers); ok {
		conn.setLinger()
	}
	c.Context().SetConnectionClose()
}
