package parley_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// limited gives the house a bound on requests per second.
func (h *house) limited(rate float64) {
	h.t.Helper()
	h.stop()
	h.config.Rate = rate
	h.start()
}

// bots counts what a create has left behind.
func (h *house) bots() int { return len(h.list("/bot/list")) }

func TestTheRateOfASecret(t *testing.T) { // A13
	inHouse(t, options{}, func(h *house) {
		ask := func(secret string) answer { return h.call(http.MethodGet, "/bot/list", secret, nil) }
		h.rule("nobody is bounded who does not ask for it", func(t rule) {
			for range 200 {
				if a := ask(apiSecret); a.status != 200 {
					t.Fatalf("%d %s", a.status, a.text)
				}
			}
		})
		h.limited(3)
		h.rule("one too many is told so, and does nothing", func(t rule) {
			before := 2 // with the house's own
			for range 3 {
				if a := ask(apiSecret); a.status != 200 {
					t.Errorf("%d %s", a.status, a.text)
				}
			}
			a := h.call(http.MethodPost, "/bot/create", apiSecret, object{"name": "Too many"})
			if a.status != 429 || a.body["code"] != "TOO_MANY_REQUESTS" || a.body["message"] != "Too many requests" || a.header.Get("Retry-After") != "1" {
				t.Errorf("%d %s %v", a.status, a.text, a.header)
			}
			time.Sleep(time.Second)
			h.create("/bot", object{"name": "Not too many"})
			if n := h.bots(); n != before {
				t.Errorf("there are %d bots", n)
			}
		})
		h.rule("who waits as told is served", func(t rule) {
			time.Sleep(time.Second) // it has saved up again
			for range 5 {
				for range 3 {
					if a := ask(apiSecret); a.status != 200 {
						t.Errorf("%d %s", a.status, a.text)
					}
				}
				if a := ask(apiSecret); a.status != 429 || a.header.Get("Retry-After") != "1" {
					t.Errorf("%d %s", a.status, a.text)
				}
				time.Sleep(time.Second)
			}
		})
		h.rule("each secret counts for itself, and a wrong one is a wrong one", func(t rule) {
			for range 4 {
				ask(apiSecret)
			}
			if a := ask(otherSecret); a.status != 200 {
				t.Errorf("another secret: %d %s", a.status, a.text)
			}
			for range 10 {
				if a := ask("sk-nobody"); a.status != 401 {
					t.Errorf("a wrong secret: %d %s", a.status, a.text)
				}
			}
		})
		h.rule("what has no secret is not bounded", func(t rule) { // F079
			for range 50 {
				for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
					if a := h.do(httptest.NewRequest(http.MethodGet, path, nil)); a.status != 200 {
						t.Errorf("%s: %d %s", path, a.status, a.text)
					}
				}
				if a := h.call(http.MethodOptions, "/bot/list", apiSecret, nil); a.status != 200 {
					t.Errorf("preflight: %d %s", a.status, a.text)
				}
				a := h.call(http.MethodGet, h.callback()+"?hub.mode=subscribe&hub.challenge=1&hub.verify_token="+h.verifyToken, apiSecret, nil)
				if a.status != 200 {
					t.Errorf("callback: %d %s", a.status, a.text)
				}
			}
			for range 20 {
				h.person(alice).Write("Hello")
			}
			h.settle()
			if len(h.texts(alice)) == 0 {
				t.Error("nobody was answered")
			}
		})
	})
}

func TestASlowRate(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		h.limited(0.1)
		for _, c := range []struct {
			after      time.Duration
			status     int
			retryAfter string
		}{
			{0, 200, ""}, {0, 429, "10"}, {2500 * time.Millisecond, 429, "8"}, {7 * time.Second, 429, "1"}, {time.Second, 200, ""}, {time.Hour, 200, ""}, {0, 429, "10"},
		} {
			time.Sleep(c.after)
			a := h.call(http.MethodGet, "/bot/list", apiSecret, nil)
			if a.status != c.status || a.header.Get("Retry-After") != c.retryAfter {
				t.Errorf("after %v: %d, come back in %q, want %+v", c.after, a.status, a.header.Get("Retry-After"), c)
			}
		}
	})
}
