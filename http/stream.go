package http

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"unicode/utf16"

	"github.com/gofiber/fiber/v2"

	"parley/projections"
)

// stream answers with all of a list, page after page, one item at a time. What
// goes wrong before the first item is an ordinary error; later it is a line of
// its own, and the last. Spec: "Streams and exports".
func (c call) stream(l rows, p projections.Page) error {
	left := total(c.Ctx)
	p.Take = min(left, maxTake)
	first, err := l.page(c.UserContext(), p)
	if err != nil {
		return err
	}
	return c.flow(func(ctx context.Context, w writer) error {
		for shown := first; ; {
			for _, x := range shown {
				if err := w.tell("item", x.shown); err != nil {
					return err
				}
			}
			left -= len(shown)
			if len(shown) < p.Take || left == 0 {
				return nil
			}
			p.After, p.Take = shown[len(shown)-1].seq, min(left, maxTake)
			var err error
			if shown, err = l.page(ctx, p); err != nil {
				return err
			}
		}
	})
}

// total bounds a stream: the caller's take, or nothing.
func total(c *fiber.Ctx) int {
	take, err := strconv.ParseFloat(c.Query("take"), 64)
	if err != nil || !(take >= 1) || take > math.MaxInt32 {
		return math.MaxInt
	}
	return int(take)
}

// writer writes a stream in one of its forms: entries, each of a type. One has
// reached the client's connection when tell returns. A form that has no place
// for a type leaves it out.
type writer interface {
	tell(kind string, shown any) error
}

// errGone says that the client does not read any more.
var errGone = errors.New("the client is gone")

// flow answers with a stream. write runs after the handler returned: it may
// use nothing of the request. Its context ends with the server.
func (c call) flow(write func(ctx context.Context, w writer) error) error {
	c.Set(fiber.HeaderContentType, string(c.form))
	c.Set(fiber.HeaderCacheControl, "no-store")
	s, wanted, id := c.server, c.form, requestID(c.Ctx)
	c.Context().SetBodyStreamWriter(func(buffer *bufio.Writer) {
		w := output{buffer}.writer(wanted)
		err := write(s.life, w)
		if err == nil || errors.Is(err, errGone) || s.life.Err() != nil {
			return
		}
		p := problemOf(err)
		if p.status >= 500 {
			s.logger.Error("stream broke off", "request", id, "err", err)
		}
		_ = w.tell("error", p.body()) // nobody is left to be told
	})
	return nil
}

// output is where a stream is written to.
type output struct{ buffer *bufio.Writer }

func (o output) writer(f form) writer {
	switch f {
	case inEvents:
		return eventWriter{o}
	case inCSV:
		return &csvWriter{output: o}
	}
	return lineWriter{o}
}

// write writes and flushes: every item is of use by itself.
func (o output) write(parts ...[]byte) error {
	for _, b := range parts {
		if _, err := o.buffer.Write(b); err != nil {
			return errGone
		}
	}
	if err := o.buffer.Flush(); err != nil {
		return errGone
	}
	return nil
}

// entry is one line of a stream.
type entry struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

// lineWriter writes a JSON object a line, in plain ASCII: clients decode every
// piece of network data by itself, and would tear other signs apart.
type lineWriter struct{ output }

func (w lineWriter) tell(kind string, shown any) error {
	b, err := json.Marshal(entry{Type: kind, Data: shown})
	if err != nil {
		return err
	}
	return w.write(ascii(b), []byte("\n"))
}

// eventWriter writes server-sent events.
type eventWriter struct{ output }

func (w eventWriter) tell(kind string, shown any) error {
	b, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	return w.write([]byte("event: "+kind+"\ndata: "), ascii(b), []byte("\n\n"))
}

// ascii writes the characters of a JSON text that are not ASCII as escapes.
func ascii(text []byte) []byte {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(text)+len(text)/8)
	for _, r := range string(text) {
		if r < 0x80 {
			out = append(out, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			out = append(out, '\\', 'u', digits[unit>>12], digits[unit>>8&15], digits[unit>>4&15], digits[unit&15])
		}
	}
	return out
}
