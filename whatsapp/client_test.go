package whatsapp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

const secretToken = "EAAsecret"

var credentials = whatsapp.Credentials{PhoneNumberID: "106540352242922", Token: whatsapp.NewToken(secretToken)}

// transport answers requests in place of a server.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string) transport {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}

func address(t testing.TB, s string) whatsapp.Address {
	t.Helper()
	a, err := whatsapp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// send sends "hi" through a transport.
func send(t testing.TB, rt http.RoundTripper) (whatsapp.Sent, error) {
	t.Helper()
	c := whatsapp.NewClient("https://graph.test/", "v25.0", rt)
	return c.Send(t.Context(), credentials, address(t, "16505551234"), whatsapp.Text("hi")[0].Payload(), "part-1")
}

func TestSendPutsTheRequestTogether(t *testing.T) { // F007
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = w.Write(fixture(t, "outbound/response/messages-post-200-example-response.json"))
	}))
	defer server.Close()

	client := whatsapp.NewClient(server.URL, "v25.0", nil)
	sent, err := client.Send(t.Context(), credentials, address(t, "16505551234"), whatsapp.Text("hi")[0].Payload(), "part-1")
	if err != nil {
		t.Fatal(err)
	}
	want := whatsapp.Sent{WAMID: "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJCOTY3NDc0NDFDRUI3NTA0Q0UA", WaID: "16505551234"}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent: -want +got\n%s", diff)
	}
	head := []string{got.Method, got.URL.Path, got.Header.Get("Authorization"), got.Header.Get("Content-Type")}
	if diff := cmp.Diff([]string{"POST", "/v25.0/106540352242922/messages", "Bearer " + secretToken, "application/json"}, head); diff != "" {
		t.Errorf("request: -want +got\n%s", diff)
	}
	const message = `{"messaging_product":"whatsapp","recipient_type":"individual","to":"16505551234","biz_opaque_callback_data":"part-1","type":"text","text":{"body":"hi"}}`
	if diff := cmp.Diff(message, string(body)); diff != "" {
		t.Errorf("body: -want +got\n%s", diff)
	}
}

// requestBody is what is sent to a recipient.
func requestBody(t *testing.T, to string, o whatsapp.Outbound) (body []byte) {
	t.Helper()
	rt := transport(func(r *http.Request) (*http.Response, error) {
		body, _ = io.ReadAll(r.Body)
		return answer(200, `{"messages":[{"id":"wamid.1"}]}`)(r)
	})
	if _, err := whatsapp.NewClient("https://graph.test", "v25.0", rt).Send(t.Context(), credentials, address(t, to), o.Payload(), ""); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestAUserIDIsNeverSentInTo(t *testing.T) {
	body := requestBody(t, "US.13491208655302741918", whatsapp.Text("hi")[0])
	const want = `{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"US.13491208655302741918","type":"text","text":{"body":"hi"}}`
	if diff := jsonEqual(t, []byte(want), body); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestRequestsEqualMetasExamples(t *testing.T) {
	t.Run("image by link", func(t *testing.T) {
		image := whatsapp.Attach(whatsapp.Attachment{Kind: "image", Link: "https://image-url"})[0]
		// The example has a placeholder for a link.
		want := strings.NewReplacer(`"http(s)://`, `"https://`).Replace(string(fixture(t, "outbound/request/messages-post-send-image-message-by-url.json")))
		if diff := jsonEqual(t, []byte(want), requestBody(t, "16505551234", image)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
	t.Run("typing and read", func(t *testing.T) {
		want := fixture(t, "outbound/request/messages-post-send-typing-indicator-and-read-receipt.json")
		var body []byte
		rt := transport(func(r *http.Request) (*http.Response, error) {
			body, _ = io.ReadAll(r.Body)
			return answer(200, `{"success":true}`)(r)
		})
		if err := whatsapp.NewClient("https://graph.test", "v25.0", rt).MarkRead(t.Context(), credentials, "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUYzMjEzNDM2RTZGQ0MzMDJBRgA=", true); err != nil {
			t.Fatal(err)
		}
		if diff := jsonEqual(t, want, body); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

func TestSendReadsMetasAnswers(t *testing.T) {
	for _, name := range fixtures(t, "outbound/response") {
		t.Run(name, func(t *testing.T) {
			body := fixture(t, name)
			sent, err := send(t, answer(200, string(body)))
			if strings.Contains(name, "typing") {
				if err := whatsapp.NewClient("https://graph.test", "v25.0", answer(200, string(body))).MarkRead(t.Context(), credentials, "wamid.1", false); err != nil {
					t.Errorf("mark read: %v", err)
				}
				return
			}
			if err != nil || !strings.HasPrefix(sent.WAMID, "wamid.") || sent.WaID == "" {
				t.Errorf("got %+v, %v", sent, err)
			}
		})
	}
	sent, err := send(t, answer(200, `{"contacts":[{"input":"US.1","user_id":"US.1"}],"messages":[{"id":"wamid.1"}]}`))
	if diff := cmp.Diff(whatsapp.Sent{WAMID: "wamid.1", UserID: "US.1"}, sent); err != nil || diff != "" {
		t.Errorf("to a user ID: %v\n%s", err, diff)
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	for _, name := range fixtures(t, "outbound/error") {
		var c struct {
			Status int `json:"http_status"`
			Body   struct {
				Error struct {
					Code    int
					Subcode int `json:"error_subcode"`
					Type    string
					TraceID string `json:"fbtrace_id"`
					Data    struct{ Details string }
				}
			}
			Text string `json:"body_text"`
		}
		var raw struct{ Body json.RawMessage }
		if json.Unmarshal(fixture(t, name), &c) != nil || json.Unmarshal(fixture(t, name), &raw) != nil {
			t.Fatal(name)
		}
		if raw.Body == nil {
			continue // not Meta's answers: see TestUnclear
		}
		t.Run(name, func(t *testing.T) {
			_, err := send(t, answer(c.Status, string(raw.Body)))
			var e *whatsapp.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			want := []any{c.Status, c.Body.Error.Code, c.Body.Error.Subcode, c.Body.Error.Type, c.Body.Error.TraceID}
			if diff := cmp.Diff(want, []any{e.Status, e.Code, e.Subcode, e.Type, e.TraceID}); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if unclear := (*whatsapp.Unclear)(nil); errors.As(err, &unclear) {
				t.Error("also unclear")
			}
		})
	}
}

func TestARefusalGivesItsDetails(t *testing.T) {
	rt := transport(func(r *http.Request) (*http.Response, error) {
		response, _ := answer(400, `{"error":{"message":"(#131056) Pair rate","type":"OAuthException","code":"131056","error_user_title":"T","is_transient":true,"error_data":{"details":"Too many"}}}`)(r)
		response.Header.Set("Retry-After", "7")
		return response, nil
	})
	_, err := send(t, rt)
	var e *whatsapp.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	want := &whatsapp.Error{Status: 400, Code: 131056, Type: "OAuthException", Title: "T", Message: "(#131056) Pair rate", Detail: "Too many", Transient: true, RetryAfter: 7 * time.Second}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := err.Error(); got != "send message: refused with code 131056: (#131056) Pair rate (Too many)" {
		t.Errorf("as text: %s", got)
	}
}

func TestUnclear(t *testing.T) {
	broken := errors.New("connection reset by peer")
	cases := []struct {
		rule string
		rt   transport
	}{
		{"a server error in HTML", answer(502, "<html><h1>502 Bad Gateway</h1></html>")},
		{"an empty server error", answer(503, "")},
		{"a server error with JSON that is not Meta's", answer(500, `{"message":"oops"}`)},
		{"a 200 without a message ID", answer(200, `{"messages":[]}`)},
		{"a 200 that is cut off", answer(200, `{"messages":[{"id":"wam`)},
		{"an empty 200", answer(200, "")},
		{"another good status", answer(202, "")},
		{"an answer that breaks off", func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader("{"), readError{broken}))}, nil
		}},
		{"a connection that breaks after the request", func(r *http.Request) (*http.Response, error) {
			trace := httptrace.ContextClientTrace(r.Context())
			trace.GetConn("graph.test:443")
			trace.WroteHeaders()
			return nil, broken
		}},
		{"a transport that does not report its steps", func(*http.Request) (*http.Response, error) { return nil, broken }},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			_, err := send(t, c.rt)
			var unclear *whatsapp.Unclear
			if !errors.As(err, &unclear) {
				t.Errorf("got %v", err)
			}
			if got := whatsapp.Advise(err).Action; got != whatsapp.Settle {
				t.Errorf("advice: %s", got)
			}
		})
	}
}

type readError struct{ err error }

func (r readError) Read([]byte) (int, error) { return 0, r.err }

func TestUnsent(t *testing.T) {
	check := func(t *testing.T, err error, cause error) {
		t.Helper()
		var unsent *whatsapp.Unsent
		if !errors.As(err, &unsent) || cause != nil && !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	}
	hello := whatsapp.Text("hi")[0].Payload()
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		_, err = whatsapp.NewClient("http://"+l.Addr().String(), "v25.0", nil).Send(t.Context(), credentials, address(t, "1"), hello, "")
		check(t, err, nil)
	})
	t.Run("the certificate is not trusted", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.StartTLS()
		defer server.Close()
		_, err := whatsapp.NewClient(server.URL, "v25.0", nil).Send(t.Context(), credentials, address(t, "1"), hello, "")
		check(t, err, nil)
	})
	t.Run("the context had ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := whatsapp.NewClient("https://graph.test", "v25.0", answer(200, "")).Send(ctx, credentials, address(t, "1"), hello, "")
		check(t, err, context.Canceled)
	})
	t.Run("the address is nobody's", func(t *testing.T) {
		_, err := whatsapp.NewClient("https://graph.test", "v25.0", answer(200, "")).Send(t.Context(), credentials, whatsapp.Address{}, hello, "")
		check(t, err, whatsapp.ErrAddress)
	})
	for _, payload := range []string{"", "[]", "{}", "null", `{"type":"text","to":"1"}`, `{"type":"text","recipient":"1"}`} {
		t.Run("the payload is "+payload, func(t *testing.T) {
			_, err := whatsapp.NewClient("https://graph.test", "v25.0", answer(200, "")).Send(t.Context(), credentials, address(t, "1"), []byte(payload), "")
			check(t, err, whatsapp.ErrPayload)
		})
	}
}

func TestACallLastsAtMostFifteenSeconds(t *testing.T) {
	hangs := transport(func(r *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(r.Context())
		trace.GetConn("graph.test:443")
		trace.WroteHeaders()
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := send(t, hangs)
		var unclear *whatsapp.Unclear
		if got := time.Since(start); got != 15*time.Second || !errors.As(err, &unclear) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", got, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_ = whatsapp.NewClient("https://graph.test", "v25.0", hangs).MarkRead(ctx, credentials, "wamid.1", false)
		if got := time.Since(start); got != time.Second {
			t.Errorf("the caller's sooner end was not honoured: %v", got)
		}
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	calls := 0
	_, err := send(t, transport(func(r *http.Request) (*http.Response, error) {
		calls++
		response, _ := answer(307, "")(r)
		response.Header.Set("Location", "https://elsewhere.test/")
		return response, nil
	}))
	var e *whatsapp.Error
	if !errors.As(err, &e) || e.Status != 307 || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestHugeAnswersAreCut(t *testing.T) {
	read := 0
	rt := transport(func(r *http.Request) (*http.Response, error) {
		body := counter{strings.NewReader(strings.Repeat("x", 10<<20)), &read}
		return &http.Response{StatusCode: 400, Body: io.NopCloser(body), Request: r}, nil
	})
	_, err := send(t, rt)
	if read > 1<<20 || len(err.Error()) > 1000 {
		t.Errorf("%d bytes were read, and the error has %d", read, len(err.Error()))
	}
}

type counter struct {
	io.Reader
	n *int
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += n
	return n, err
}

func TestTheTokenShowsNowhere(t *testing.T) {
	type performer struct{ hidden whatsapp.Credentials }
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "credentials", credentials, "token", credentials.Token)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "credentials", credentials)
	encoded, err := json.Marshal(credentials)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{log.String(), string(encoded), fmt.Sprint(credentials), fmt.Sprint(performer{credentials}, &performer{credentials})}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, credentials), fmt.Sprintf(verb, credentials.Token), fmt.Sprintf(verb, performer{credentials}))
	}
	for _, rt := range []transport{
		answer(400, "you sent Bearer "+secretToken),
		answer(400, strings.Repeat("x", 195)+secretToken),
		answer(502, secretToken),
		answer(400, `{"error":{"code":190,"type":"O","message":"bad `+secretToken+`","error_data":{"details":"`+secretToken+`"}}}`),
		func(*http.Request) (*http.Response, error) { return nil, errors.New("broken near " + secretToken) },
	} {
		_, err := send(t, rt)
		shown = append(shown, fmt.Sprintf("%v %+v %#v", err, errors.Unwrap(err), errors.Unwrap(err)))
	}
	for _, s := range shown {
		if strings.Contains(s, secretToken[:6]) || strings.Contains(s, fmt.Sprintf("%x", secretToken)) {
			t.Errorf("shown in %s", s)
		}
	}
	if credentials.Token.Reveal() != secretToken || (whatsapp.Token{}).Reveal() != "" {
		t.Error("the token cannot be used")
	}
}
