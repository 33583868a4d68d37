package parley_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"syscall"
	"time"

	"parley/whatsapp"
)

// badWay is the way to Meta.
type badWay struct {
	http.RoundTripper
	s *simulation
}

// RoundTrip notes every send, and what its caller came to know.
func (w badWay) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var message struct {
		To, Recipient string
		Part          string `json:"biz_opaque_callback_data"`
	}
	if err := json.Unmarshal(body, &message); err != nil || message.Part == "" {
		return w.RoundTripper.RoundTrip(r) // "typing": nothing depends on it
	}
	to := w.s.nameOf(message.To + message.Recipient)
	if w.s.dies("before a send") {
		return nil, errDead
	}
	call := w.s.record.calls.begin(message.Part, w.s.process.Load())
	trouble, response, err := w.send(r, to, w.s.record.count("send", to))
	if w.s.dies("after a send") {
		trouble, response, err = "the process died", nil, errDead
	}
	var answer []byte
	if err == nil {
		answer, err = io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(answer))
	}
	call.end(err == nil && bytes.Contains(answer, []byte("wamid.")))
	w.s.tell(to, "is sent %s: %s", short(message.Part), outcome(trouble, answer, err))
	return response, err
}

// short is a part's ID as the story tells it.
func short(part string) string {
	turn, n, _ := strings.Cut(part, "-")
	return fmt.Sprintf("%.8s…-%s", turn, n)
}

func outcome(trouble string, answer []byte, err error) string {
	text := fmt.Sprintf("%.90s", answer)
	if err != nil {
		text = err.Error()
	}
	if trouble != "" {
		text = "[" + trouble + "] " + text
	}
	return text
}

// send passes a message on, unless a trouble strikes. The n-th send to a person
// meets the same troubles in every run.
func (w badWay) send(r *http.Request, to string, n int) (trouble string, _ *http.Response, _ error) {
	d := w.s.dice("way", to, n)
	strikes := func(name string, most float64) bool {
		trouble = name
		return w.s.strikes(name, most, to, n)
	}
	pass := w.RoundTripper.RoundTrip
	switch {
	case strikes("no connection", 0.3):
		return trouble, nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case strikes("cut off", 0.3):
		if d.IntN(2) == 0 {
			_, _ = pass(r) // it arrives, and nobody hears of it
		}
		onTheWire(r)
		return trouble, nil, io.ErrUnexpectedEOF
	case strikes("no answer", 0.3):
		if d.IntN(3) > 0 {
			_, _ = pass(r)
		}
		onTheWire(r)
		<-r.Context().Done()
		return trouble, nil, r.Context().Err()
	case strikes("a proxy's page", 0.2):
		if d.IntN(2) == 0 {
			_, _ = pass(r)
		}
		return trouble, answerOf(r, http.StatusGatewayTimeout, "<html>504 Gateway Timeout</html>"), nil
	case strikes("maintenance", 0.2):
		return trouble, answerOf(r, http.StatusInternalServerError,
			`{"error":{"message":"Service temporarily unavailable","type":"OAuthException","code":2,"is_transient":true}}`), nil
	case strikes("slow", 0.3):
		return w.slow(r, time.Duration(d.Int64N(int64(13*time.Second))), time.Duration(d.Int64N(int64(13*time.Second))))
	}
	response, err := pass(r)
	return "", response, err
}

// slow lets a message take its time to Meta, and the answer its time back. Who
// waits may be gone by then; the message arrives all the same.
func (w badWay) slow(r *http.Request, there, back time.Duration) (string, *http.Response, error) {
	type result struct {
		response *http.Response
		err      error
	}
	onTheWire(r)
	arrived := make(chan result, 1)
	go func() {
		time.Sleep(there)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
		defer cancel()
		response, err := w.RoundTripper.RoundTrip(r.WithContext(ctx))
		time.Sleep(back)
		arrived <- result{response, err}
	}()
	trouble := fmt.Sprintf("slow, %v and %v", there, back)
	select {
	case a := <-arrived:
		return trouble, a.response, a.err
	case <-r.Context().Done():
		return trouble, nil, r.Context().Err()
	}
}

// onTheWire tells the caller that its request was put on the wire.
func onTheWire(r *http.Request) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.GetConn(r.URL.Host)
		trace.WroteHeaders()
	}
}

func answerOf(r *http.Request, status int, body string) *http.Response {
	onTheWire(r)
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}
}

// badDoor is where webhooks come in. It notes what the node acknowledged.
type badDoor struct {
	http.Handler
	s *simulation
}

// ServeHTTP loses statuses on their way in, and answers on their way out.
func (b badDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	n, err := whatsapp.Parse(body)
	if err != nil {
		b.s.fail("", "Meta posted %s: %v", body, err)
		return
	}
	for _, st := range n.Statuses {
		if len(n.Messages) == 0 && b.s.strikes("status lost", 0.6, st.ID, st.Status) {
			b.s.tell(b.s.nameOf(st.Recipient()), "the status %s is lost", st.Status)
			return
		}
	}
	answer := httptest.NewRecorder()
	b.Handler.ServeHTTP(answer, r)
	b.s.mutex.Lock()
	b.s.answers.Write(answer.Body.Bytes())
	b.s.mutex.Unlock()
	if answer.Code == http.StatusOK {
		b.s.acknowledged(n)
	}
	if b.s.strikes("acknowledgement lost", 0.3, len(body), b.s.record.count("webhook", string(body))) {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}
