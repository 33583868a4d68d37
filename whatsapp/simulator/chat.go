package simulator

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/whatsapp"
)

//go:embed page
var page embed.FS

const (
	// longPoll is how long a poll waits for news.
	longPoll = 20 * time.Second
	// maxForm bounds what the page may post, in bytes.
	maxForm = 64 << 10
	// somebody is the person that the page starts with.
	somebody = "15550100001"

	// policy lets the page use its own files and nothing else.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Chat is a page on which a person chats with a number, as anybody in the
// Cast. It lives below /try. It asks nobody who they are, so it must only be
// reachable by those who may write as anybody.
func (s *Simulator) Chat(numberID string) http.Handler {
	c := chat{s, numberID}
	mux := http.NewServeMux()
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the directory is compiled in
	}
	assets := http.StripPrefix("/try/", http.FileServerFS(files))
	home := func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "chat.html") }
	mux.HandleFunc("GET /try", home)
	mux.HandleFunc("GET /try/{$}", home)
	mux.Handle("GET /try/chat.js", assets)
	mux.Handle("GET /try/format.js", assets)
	mux.Handle("GET /try/chat.css", assets)
	mux.HandleFunc("GET /try/people", c.people)
	mux.HandleFunc("GET /try/poll", c.poll)
	mux.HandleFunc("POST /try/send", c.send)
	mux.HandleFunc("POST /try/tap", c.tap)
	mux.HandleFunc("POST /try/location", c.location)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

type chat struct {
	s      *Simulator
	number string
}

// people answers who one can be.
func (c chat) people(w http.ResponseWriter, _ *http.Request) {
	type person struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Does string `json:"does"`
	}
	list := []person{
		{somebody, roleOf(somebody).Name, "just somebody"},
		{"US.13491208655302741918", "Ursula Username", "hides the phone number and writes with a user ID"},
	}
	for _, r := range cast {
		list = append(list, person{r.Number, r.Name, r.Does})
	}
	c.s.mu.Lock()
	display := ""
	if n := c.s.numbers[c.number]; n != nil {
		display = n.Display
	}
	c.s.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{"business": display, "people": list})
}

// poll answers the entries after a number, and waits for some if there are
// none. "again" says that the page knows a chat that is gone, and must begin
// anew with these.
func (c chat) poll(w http.ResponseWriter, r *http.Request) {
	person, err := whatsapp.ParseAddress(r.URL.Query().Get("person"))
	after, errAfter := strconv.Atoi(r.URL.Query().Get("after"))
	if err != nil || errAfter != nil || after < 0 {
		reply(w, http.StatusBadRequest, map[string]any{"error": "person or after is missing or wrong"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), longPoll)
	defer cancel()
	news, again := []Entry{}, false
	// Whichever way the wait ends, what is there is answered.
	_ = c.s.await(ctx, func() bool {
		entries := c.s.thread(c.number, person.String()).entries
		if again = after > len(entries); again {
			after = 0
		}
		news = append(news, entries[after:]...)
		return again || len(news) > 0
	})
	reply(w, http.StatusOK, map[string]any{"entries": news, "again": again})
}

func (c chat) send(w http.ResponseWriter, r *http.Request) {
	var form struct{ Person, Text string }
	p, ok := c.read(w, r, &form, &form.Person)
	if !ok {
		return
	}
	if strings.TrimSpace(form.Text) == "" {
		reply(w, http.StatusBadRequest, map[string]any{"error": "the text is empty"})
		return
	}
	reply(w, http.StatusOK, map[string]any{"id": p.Write(form.Text)})
}

func (c chat) tap(w http.ResponseWriter, r *http.Request) {
	var form struct{ Person, ID, Choice string }
	p, ok := c.read(w, r, &form, &form.Person)
	if !ok {
		return
	}
	id, err := p.Tap(form.ID, form.Choice)
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"error": err.Error()})
		return
	}
	reply(w, http.StatusOK, map[string]any{"id": id})
}

func (c chat) location(w http.ResponseWriter, r *http.Request) {
	var form struct {
		Person string
		Place
	}
	p, ok := c.read(w, r, &form, &form.Person)
	if !ok {
		return
	}
	reply(w, http.StatusOK, map[string]any{"id": p.ShareLocation(form.Latitude, form.Longitude, form.Name, form.Address)})
}

// read decodes what the page posts, and answers if it cannot. Only JSON is
// taken: other sites cannot send that unasked.
func (c chat) read(w http.ResponseWriter, r *http.Request, form any, person *string) (Person, bool) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		reply(w, http.StatusUnsupportedMediaType, map[string]any{"error": "only application/json is taken"})
		return Person{}, false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(form); err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"error": "the body is not the JSON that is expected"})
		return Person{}, false
	}
	address, err := whatsapp.ParseAddress(*person)
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]any{"error": "person is " + err.Error()})
		return Person{}, false
	}
	return c.s.Person(c.number, address.String()), true
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever hung up does not want it
}
