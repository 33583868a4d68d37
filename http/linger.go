package http

import (
	"io"
	"net"
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

type lingering struct{ net.Listener }

// Accept wraps the connection.
func (l lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
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

// Close closes at once, or after the client has finished.
func (c *lingeringConn) Close() error {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !c.linger || !ok || tcp.CloseWrite() != nil {
		return c.Conn.Close()
	}
	go func() {
		_ = tcp.SetReadDeadline(time.Now().Add(lingerFor)) // then the copy ends by itself
		_, _ = io.Copy(io.Discard, io.LimitReader(tcp, lingerBytes))
		_ = tcp.Close()
	}()
	return nil
}

// linger makes the request's connection close gently.
func linger(c *fiber.Ctx) {
	if conn, ok := c.Context().Conn().(*lingeringConn); ok {
		conn.linger = true
	}
	c.Context().SetConnectionClose()
}
