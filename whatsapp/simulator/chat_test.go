package simulator_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

// visit calls the chat page.
func (l *life) visit(t testing.TB, ctx context.Context, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	l.Chat(numberID).ServeHTTP(w, r)
	return w
}

func (l *life) poll(t testing.TB, ctx context.Context, after string) (entries []simulator.Entry) {
	t.Helper()
	var answer struct{ Entries []simulator.Entry }
	w := l.visit(t, ctx, "GET", "/try/poll?person="+ann+"&after="+after, "")
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return answer.Entries
}

func TestAChatOnThePage(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		ctx := t.Context()
		l.visit(t, ctx, "POST", "/try/send", `{"person":"`+ann+`","text":"hello"}`)
		l.idle(t)
		if err := l.client.MarkRead(ctx, l.Credentials(numberID), l.server.messages[0].ID, true); err != nil {
			t.Fatal(err)
		}
		sent, err := l.send(t, ann, whatsapp.Buttons("Go?", "F", []whatsapp.Button{{ID: "y", Title: "Yes"}})[0], "")
		if err != nil {
			t.Fatal(err)
		}
		l.idle(t)
		if w := l.visit(t, ctx, "POST", "/try/tap", `{"person":"`+ann+`","id":"`+sent.WAMID+`","choice":"y"}`); w.Code != http.StatusOK {
			t.Errorf("tap: %d %s", w.Code, w.Body)
		}
		l.visit(t, ctx, "POST", "/try/location", `{"person":"`+ann+`","latitude":1.5,"longitude":2,"name":"Here"}`)
		l.idle(t)

		entries := l.poll(t, ctx, "0")
		var got []string
		for i, e := range entries {
			got = append(got, e.Kind+" "+e.Text)
			if e.N != i+1 || e.At.IsZero() {
				t.Errorf("entry %d: %+v", i, e)
			}
		}
		want := []string{"me hello", "typing ", "bot Go?", "status sent", "status delivered", "status read", "me Yes", "me "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entries: -want +got\n%s", diff)
		}
		if bot := entries[2]; bot.Footer != "F" || len(bot.Choices) != 1 || bot.ID != sent.WAMID {
			t.Errorf("the bot's message: %+v", bot)
		}
		if p := entries[7].Place; p == nil || p.Latitude != 1.5 || p.Name != "Here" {
			t.Errorf("the location: %+v", p)
		}
		if later := l.poll(t, ctx, "7"); len(later) != 1 || later[0].N != 8 {
			t.Errorf("after 7: %+v", later)
		}
	})
}

func TestAPollWaits(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		begin := time.Now()
		if entries := l.poll(t, t.Context(), "0"); len(entries) != 0 || time.Since(begin) != 20*time.Second {
			t.Errorf("without news: %v after %v", entries, time.Since(begin))
		}
		begin = time.Now()
		time.AfterFunc(time.Second, func() { l.Person(numberID, ann).Write("hello") })
		if entries := l.poll(t, t.Context(), "0"); len(entries) != 1 || time.Since(begin) != time.Second {
			t.Errorf("with news: %v after %v", entries, time.Since(begin))
		}
		begin = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if l.poll(t, ctx, "1"); time.Since(begin) != 2*time.Second {
			t.Errorf("with a visitor who leaves: %v", time.Since(begin))
		}
		l.idle(t)
	})
	synctest.Test(t, func(t *testing.T) {
		l := start(t, calm())
		time.AfterFunc(time.Second, l.Close)
		begin := time.Now()
		if l.poll(t, t.Context(), "0"); time.Since(begin) != time.Second {
			t.Errorf("with a simulator that closes: %v", time.Since(begin))
		}
	})
}

func TestAPageThatKnowsAnotherChatBeginsAnew(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		l.Person(numberID, ann).Write("hello")
		w := l.visit(t, t.Context(), "GET", "/try/poll?person="+ann+"&after=99", "")
		if body := w.Body.String(); !strings.Contains(body, `"again":true`) || !strings.Contains(body, `"hello"`) {
			t.Errorf("got %s", body)
		}
		l.idle(t)
	})
}

func TestThePageTakesOnlyWhatItSends(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		for _, c := range []struct {
			rule, method, path, body string
			want                     int
		}{
			{"no JSON", "POST", "/try/send", `hello`, 400},
			{"no person", "POST", "/try/send", `{"text":"x"}`, 400},
			{"a person that is none", "POST", "/try/send", `{"person":"<b>","text":"x"}`, 400},
			{"a blank text", "POST", "/try/send", `{"person":"1","text":" "}`, 400},
			{"a huge text", "POST", "/try/send", `{"person":"1","text":"` + strings.Repeat("x", 1<<17) + `"}`, 400},
			{"an unknown button", "POST", "/try/tap", `{"person":"1","id":"x","choice":"y"}`, 400},
			{"a poll without a person", "GET", "/try/poll?after=0", "", 400},
			{"a poll after nothing", "GET", "/try/poll?person=1&after=-1", "", 400},
			{"another method", "GET", "/try/send", "", 405},
			{"another path", "GET", "/try/chat.go", "", 404},
		} {
			if w := l.visit(t, t.Context(), c.method, c.path, c.body); w.Code != c.want {
				t.Errorf("%s: got %d, want %d", c.rule, w.Code, c.want)
			}
		}
		r := httptest.NewRequest("POST", "/try/send", strings.NewReader(`{"person":"1","text":"x"}`))
		r.Header.Set("Content-Type", "text/plain") // what another site could send unasked
		w := httptest.NewRecorder()
		if l.Chat(numberID).ServeHTTP(w, r); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("a foreign form: %d", w.Code)
		}
		if got := l.Accepted(""); len(got) != 0 || len(l.server.messages) != 0 {
			t.Error("something was written")
		}
	})
}

func TestThePageUsesItsOwnFilesOnly(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		outside := regexp.MustCompile(`(?i)(src|href|url\(|import|fetch\()\s*=?\s*["'(]*https?://`)
		inline := regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|<style|\son\w+=|\sstyle=`)
		html := l.visit(t, t.Context(), "GET", "/try", "")
		if inline.Match(html.Body.Bytes()) {
			t.Error("the page has inline code, which its policy forbids")
		}
		for _, path := range []string{"/try", "/try/", "/try/chat.js", "/try/format.js", "/try/chat.css"} {
			w := l.visit(t, t.Context(), "GET", path, "")
			if w.Code != http.StatusOK || outside.Match(w.Body.Bytes()) {
				t.Errorf("%s: %d, or it uses something outside", path, w.Code)
			}
			if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q", path, policy)
			}
			for _, unsafe := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} {
				if strings.Contains(w.Body.String(), unsafe) {
					t.Errorf("%s uses %s", path, unsafe)
				}
			}
		}
	})
}

func TestOneCanBeAnybodyOfTheCast(t *testing.T) {
	bubble(t, calm(), func(t *testing.T, l *life) {
		var answer struct {
			Business string
			People   []struct{ ID, Name, Does string }
		}
		if err := json.Unmarshal(l.visit(t, t.Context(), "GET", "/try/people", "").Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if len(answer.People) != len(simulator.Cast())+2 || answer.Business != business.Display {
			t.Errorf("got %+v", answer)
		}
	})
}
