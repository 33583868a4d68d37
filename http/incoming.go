package http

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// incoming is a request's body on its way in. Bodies are not read before their
// handler runs: what is uploaded may be large, and goes to the disk as it
// comes. Everything else is taken whole, within maxBody.
type incoming struct {
	stream io.Reader
	conn   net.Conn // nil without a network
	length int64    // as declared; negative if that is not known
	read   int64
	ended  bool
	until  time.Time // when an upload must be over; zero for the server's time
}

// arriving gives a request's body.
func arriving(c *fiber.Ctx) *incoming {
	const key = "incoming"
	if in, ok := c.Locals(key).(*incoming); ok {
		return in
	}
	in := &incoming{stream: c.Context().RequestBodyStream(), length: int64(c.Request().Header.ContentLength())}
	if in.stream != nil {
		in.conn = c.Context().Conn()
	} else {
		body := c.Request().Body()
		in.stream, in.length = bytes.NewReader(body), int64(len(body))
	}
	in.ended = in.length == 0
	c.Locals(key, in)
	return in
}

// Read gives the next piece. Its errors are problems that clients can be told:
// a body that is shorter than declared never ends well.
func (in *incoming) Read(p []byte) (int, error) {
	if in.ended {
		return 0, io.EOF
	}
	n, err := 0, in.await()
	if err == nil {
		n, err = in.stream.Read(p)
	}
	in.read += int64(n)
	in.ended = in.read == in.length || in.length < 0 && errors.Is(err, io.EOF)
	switch {
	case in.ended:
		return n, io.EOF
	case err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded), strings.Contains(err.Error(), "timeout"):
		return n, errTimeout
	}
	return n, invalid("The body ended early")
}

// How long an upload may take: a pause, and the whole at the least speed, in
// bytes per second.
const (
	uploadPause = 30 * time.Second
	uploadSpeed = 64 << 10
)

// uploadTime is how long an upload of some bytes may take.
func uploadTime(size int64) time.Duration {
	return uploadPause + time.Duration(size/uploadSpeed)*time.Second
}

// patiently gives an upload of at most some bytes its time, instead of that of
// all requests.
func (in *incoming) patiently(most int64) *incoming {
	in.until = time.Now().Add(uploadTime(most))
	return in
}

// await bounds the wait for the next piece.
func (in *incoming) await() error {
	if in.conn == nil || in.until.IsZero() {
		return nil
	}
	next := time.Now().Add(uploadPause)
	if next.After(in.until) {
		next = in.until
	}
	return in.conn.SetReadDeadline(next)
}

// prefetched is how much of a body is there when its handler runs.
// Source: fasthttp, Server.StreamRequestBody.
const prefetched = 8 << 10

// over reports that nothing of the body is left to come. If there is, the
// connection cannot be used for another request: what is left would be read as
// one.
func (in *incoming) over() bool {
	if !in.ended && in.length >= 0 && in.length <= prefetched {
		_, _ = io.Copy(io.Discard, in) // does not wait
	}
	return in.ended
}

// whole reads a body into memory, where handlers find it.
func whole(c *fiber.Ctx) error {
	in := arriving(c)
	if in.length > maxBody {
		return errTooLarge
	}
	var body bytes.Buffer
	if _, err := io.Copy(&body, io.LimitReader(in, maxBody+1)); err != nil {
		return err
	}
	if body.Len() > maxBody {
		return errTooLarge
	}
	in.stream, in.ended = nil, true
	c.Request().SetBodyRaw(body.Bytes())
	return nil
}

// wholly is a handler that finds the whole body.
func wholly(handle fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := whole(c); err != nil {
			return err
		}
		return handle(c)
	}
}
