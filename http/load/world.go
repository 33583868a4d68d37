package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Never is the time of a model that does not answer.
const Never time.Duration = math.MaxInt64

// World stands for Meta and the model server: the model repeats what was said
// last, and Meta accepts every message at once. Turns tells it whom to tell.
type World struct {
	server   *fasthttp.Server
	listener net.Listener
	model    time.Duration
	over     chan struct{}
	sent     atomic.Int64
	hears    atomic.Pointer[func(accepted)]
}

// accepted is a message that Meta took.
type accepted struct {
	to, text, opaque, wamid string
	at                      time.Time
}

// NewWorld starts a world on a loopback address. Its model takes a time to
// answer.
func NewWorld(model time.Duration) (*World, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &World{listener: l, model: model, over: make(chan struct{})}
	w.server = &fasthttp.Server{Handler: w.handle, NoDefaultServerHeader: true, CloseOnShutdown: true}
	go func() { _ = w.server.Serve(l) }() // ends with Close
	return w, nil
}

// URL is where the world is.
func (w *World) URL() string { return "http://" + w.listener.Addr().String() }

// Close ends the world, whatever hangs in it.
func (w *World) Close() {
	close(w.over)
	_ = w.server.Shutdown()
}

func (w *World) handle(c *fasthttp.RequestCtx) {
	if string(c.Path()) == "/v1/chat/completions" {
		w.complete(c)
	} else {
		w.send(c)
	}
}

// complete is the model. It streams one short answer.
func (w *World) complete(c *fasthttp.RequestCtx) {
	if w.model == Never {
		<-w.over
		return
	}
	text := lastSaid(c.PostBody())
	if w.model > 0 {
		time.Sleep(w.model)
	}
	c.SetContentType("text/event-stream")
	for _, chunk := range []string{
		`{"id":"c","object":"chat.completion.chunk","model":"bench","choices":[{"index":0,"delta":{"role":"assistant","content":` + text + `}}]}`,
		`{"id":"c","object":"chat.completion.chunk","model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
		`[DONE]`,
	} {
		fmt.Fprintf(c, "data: %s\n\n", chunk)
	}
}

// lastSaid is the newest message of a request to the model, as JSON.
func lastSaid(body []byte) string {
	var request struct {
		Messages []struct{ Content json.RawMessage }
	}
	if json.Unmarshal(body, &request) != nil || len(request.Messages) == 0 {
		return `"What?"`
	}
	return string(request.Messages[len(request.Messages)-1].Content)
}

// send is Meta.
func (w *World) send(c *fasthttp.RequestCtx) {
	at := time.Now()
	c.SetContentType("application/json")
	if bytes.Contains(c.PostBody(), []byte(`"status":"read"`)) {
		c.SetBodyString(`{"success":true}`)
		return
	}
	var message struct {
		To     string
		Opaque string `json:"biz_opaque_callback_data"`
		Text   struct{ Body string }
	}
	if err := json.Unmarshal(c.PostBody(), &message); err != nil {
		c.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	a := accepted{
		to: message.To, text: message.Text.Body, opaque: message.Opaque, at: at,
		wamid: "wamid.HBgLMTU1NTAwMDAwMDAVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA." + strconv.FormatInt(w.sent.Add(1), 10),
	}
	if hear := w.hears.Load(); hear != nil {
		(*hear)(a)
	}
	fmt.Fprintf(c, `{"messaging_product":"whatsapp","contacts":[{"input":%[1]q,"wa_id":%[1]q}],"messages":[{"id":%[2]q}]}`, a.to, a.wamid)
}
