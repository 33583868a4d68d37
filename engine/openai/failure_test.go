package openai_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/engine"
)

func TestRefusals(t *testing.T) {
	const tooMany = `{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}`
	for _, test := range []struct {
		name  string
		reply reply
		want  engine.Error
	}{
		{"a rate limit passes", fail(429, tooMany, "Retry-After", "7"), engine.Error{Reason: "the model server answered 429 Too Many Requests: Rate limit reached", Transient: true, RetryAfter: 7 * time.Second}},
		{"milliseconds are more precise", fail(429, tooMany, "Retry-After", "1", "Retry-After-Ms", "350"), engine.Error{Reason: "the model server answered 429 Too Many Requests: Rate limit reached", Transient: true, RetryAfter: 350 * time.Millisecond}},
		{"nobody waits longer than an hour", fail(503, "", "Retry-After", "1e300"), engine.Error{Reason: "the model server answered 503 Service Unavailable", Transient: true, RetryAfter: time.Hour}},
		{"a used-up quota stays", fail(429, `{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}`), engine.Error{Reason: "the model server answered 429 Too Many Requests: You exceeded your quota"}},
		{"a gateway's HTML page passes", fail(502, "<html>Bad gateway</html>"), engine.Error{Reason: "the model server answered 502 Bad Gateway", Transient: true}},
		{"a wrong key stays and is not shown", fail(401, `{"error":{"message":"Incorrect API key: `+key+`"}}`), engine.Error{Reason: "the model server answered 401 Unauthorized; check the API key: Incorrect API key: ********"}},
		{"a wrong address stays", fail(404, "404 page not found"), engine.Error{Reason: "the model server answered 404 Not Found"}},
		{"a wrong option stays", fail(400, `{"object":"error","message":"bad\n option","code":400}`), engine.Error{Reason: "the model server answered 400 Bad Request: bad option"}},
		{"a framework's error is understood", fail(422, `{"detail":"no"}`), engine.Error{Reason: "the model server answered 422 Unprocessable Entity: no"}},
		{"a long message is cut", fail(400, `{"message":"`+strings.Repeat("ä", 400)+`"}`), engine.Error{Reason: "the model server answered 400 Bad Request: " + strings.Repeat("ä", 150) + "…"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, test.reply)
			_, err := s.answer(ask("hi"))
			got, ok := errors.AsType[*engine.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(test.want, *got); diff != "" || err.Error() != got.Reason {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
			if s.count() != 1 {
				t.Errorf("%d requests, retrying is not ours", s.count())
			}
		})
	}
	t.Run("a model that is not there is the turn's mistake, told in our own words", func(t *testing.T) {
		_, err := serve(t, fail(404, `{"error":"model 'gpt-x' not found"}`)).answer(ask("hi"))
		got, _ := errors.AsType[*engine.Error](err)
		if got == nil || !got.Invalid || got.Transient || strings.Contains(got.Reason, "gpt-x") || !strings.Contains(err.Error(), "model 'gpt-x' not found") {
			t.Errorf("error %+v", got)
		}
	})
	t.Run("a date says when to come back", func(t *testing.T) {
		at := time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)
		_, err := serve(t, fail(503, "", "Retry-After", at)).answer(ask("hi"))
		got, _ := errors.AsType[*engine.Error](err)
		if got == nil || got.RetryAfter <= 9*time.Minute || got.RetryAfter > 10*time.Minute {
			t.Errorf("error %+v", got)
		}
	})
}

func TestBrokenAnswers(t *testing.T) {
	for _, test := range []struct {
		name      string
		reply     reply
		want      string
		transient bool
	}{
		{"an error inside the stream", stream(content("Hel"), `{"error":{"message":"overloaded","type":"server_error"}}`), "the model server broke off the answer: overloaded", true},
		{"an error inside the stream that stays", stream(`{"error":{"message":"no such tool","type":"invalid_request_error"}}`), "the model server broke off the answer: no such tool", false},
		{"a connection that breaks", breakOff(content("Hel")), "cannot be reached or understood", true},
		{"a stream without an end", stream(content("Hel")), "broke off in the middle", true},
		{"a stream that is not JSON", stream(`{"choices":[`), "cannot be reached or understood", true},
		{"a whole answer without a choice", whole(`{}`), "cannot be reached or understood", true},
		{"an empty answer", stream(content(" "), finish("stop")), "empty answer", true},
		{"an answer that the filter stopped", stream(content("He"), finish("content_filter")), "content filter", false},
		{"an answer that is all thinking", stream(finish("length")), "raise max_tokens", false},
		{"an error without end", endless(500), "500", true},
		{"a stream without sense or end", endless(200), "larger than", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := serve(t, test.reply).answer(ask("hi"))
			if err == nil || !strings.Contains(err.Error(), test.want) || engine.Transient(err) != test.transient {
				t.Errorf("transient %v, error %v", engine.Transient(err), err)
			}
		})
	}
	t.Run("a server that is not there passes", func(t *testing.T) {
		s := serve(t, stream())
		s.Close()
		if _, err := s.answer(ask("hi")); !engine.Transient(err) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a server that hangs is left when the turn is", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, hang(cancel))
		_, err := engine.Collect(s.engine().Answer(ctx, ask("hi")))
		if !errors.Is(err, context.Canceled) || !engine.Transient(err) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a model string that makes no sense asks nobody", func(t *testing.T) {
		s := serve(t, stream())
		turn := ask("hi")
		turn.Model = "gpt-x/temperature=hot"
		if _, err := s.answer(turn); err == nil || engine.Transient(err) || s.count() != 0 {
			t.Errorf("%d requests, error %v", s.count(), err)
		}
	})
}

func TestTooLong(t *testing.T) {
	refused := fail(400, `{"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded"}}`)
	long := engine.Turn{Model: "gpt-x"}
	for i := range 10 {
		long.History = append(long.History,
			engine.Message{Role: engine.User, Text: fmt.Sprint("question ", i)},
			engine.Message{Role: engine.Bot, Text: fmt.Sprint("answer ", i)})
	}
	long.History = append(long.History, engine.Message{Role: engine.User, Text: "and now?"})

	t.Run("a conversation that is too long is cut and asked again", func(t *testing.T) {
		s := serve(t, refused, stream(content("ok"), finish("stop")))
		if _, err := s.answer(long); err != nil {
			t.Fatal(err)
		}
		before, after := len(messages(s.request(0))), len(messages(s.request(1)))
		if before != 21 || after >= before || after < before/3 {
			t.Errorf("%d messages, then %d", before, after)
		}
	})
	t.Run("a conversation that stays too long is given up", func(t *testing.T) {
		s := serve(t, refused)
		if _, err := s.answer(long); err == nil || engine.Transient(err) || s.count() != 2 {
			t.Errorf("%d requests, error %v", s.count(), err)
		}
	})
	t.Run("a single message cannot be cut", func(t *testing.T) {
		s := serve(t, refused)
		if _, err := s.answer(ask("hi")); err == nil || s.count() != 1 {
			t.Errorf("%d requests, error %v", s.count(), err)
		}
	})
	for _, body := range []string{
		`{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}`,
		`{"message":"Input is too long for requested model."}`,
	} {
		t.Run("other servers' words are known too", func(t *testing.T) {
			s := serve(t, fail(400, body), stream(content("ok"), finish("stop")))
			if _, err := s.answer(long); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestImages(t *testing.T) {
	turn := ask("what is it?")
	turn.History[0].Images = []engine.Image{{Type: "image/jpeg", Data: []byte{0xff}}}
	ok := stream(content("A cat."), finish("stop"))

	t.Run("a model that cannot see gets the caption alone", func(t *testing.T) {
		s := serve(t, fail(400, `{"error":{"message":"Invalid content type. image_url is only supported by certain models."}}`), ok)
		if _, err := s.answer(turn); err != nil {
			t.Fatal(err)
		}
		want := fromJSON(t, `{"messages":[{"role":"user","content":"what is it?"}]}`)
		if diff := cmp.Diff(messages(want), messages(s.request(1))); diff != "" {
			t.Errorf("second request (-want +got):\n%s", diff)
		}
	})
	t.Run("a server may call it its own error", func(t *testing.T) {
		s := serve(t, fail(500, `{"error":{"code":500,"message":"image input is not supported","type":"server_error"}}`), ok)
		if _, err := s.answer(turn); err != nil || s.count() != 2 {
			t.Errorf("%d requests, error %v", s.count(), err)
		}
	})
	t.Run("a model that is known to be blind gets no image", func(t *testing.T) {
		s := serve(t, ok)
		blind := turn
		blind.Model = "gpt-x/image=false"
		if _, err := s.answer(blind); err != nil || strings.Contains(fmt.Sprint(s.request(0)), "image_url") {
			t.Errorf("request %v, error %v", s.request(0), err)
		}
	})
	t.Run("another refusal is given up after the try without images", func(t *testing.T) {
		s := serve(t, fail(400, `{"error":{"message":"bad option"}}`))
		if _, err := s.answer(turn); err == nil || s.count() != 2 {
			t.Errorf("%d requests, error %v", s.count(), err)
		}
	})
}
