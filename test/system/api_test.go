//go:build system

package system

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

type object = map[string]any

// answer is what a request came to.
type answer struct {
	status int
	header http.Header
	text   string
}

// body reads the answer as a JSON object; nil if it is none.
func (a answer) body() (o object) {
	_ = json.Unmarshal([]byte(a.text), &o)
	return o
}

// do sends a request, and gives the error if no whole answer came.
func (w *world) do(r *http.Request) (answer, error) {
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close() // read to the end below
	text, err := io.ReadAll(response.Body)
	_, _ = w.answers.Write(append(text, '\n')) // a buffer takes everything
	return answer{status: response.StatusCode, header: response.Header, text: string(text)}, err
}

// call calls the API and fails the test if no answer comes.
func (w *world) call(method, path string, body any) answer {
	w.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	if body == nil {
		encoded = nil
	}
	r, err := http.NewRequest(method, w.base()+"/api/v1"+path, bytes.NewReader(encoded))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.secret)
	a, err := w.do(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (w *world) get(path string) object {
	w.t.Helper()
	return w.good(w.call(http.MethodGet, path, nil), path)
}

func (w *world) post(path string, body any) object {
	w.t.Helper()
	return w.good(w.call(http.MethodPost, path, body), path)
}

func (w *world) good(a answer, path string) object {
	w.t.Helper()
	if a.status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", path, a.status, a.text)
	}
	return a.body()
}

func (w *world) create(path string, body any) (id string) {
	w.t.Helper()
	return w.post(path+"/create", body)["id"].(string)
}

// list reads a whole list, oldest first.
func (w *world) list(path string) (all []object) {
	w.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for cursor := ""; ; {
		page := w.get(path + separator + "order=asc&cursor=" + url.QueryEscape(cursor))
		items := page["items"].([]any)
		if len(items) == 0 {
			return all
		}
		for _, i := range items {
			all = append(all, i.(object))
		}
		cursor = page["cursor"].(string)
	}
}

// history tells a conversation as "type: text" lines.
func (w *world) history(conversation object) (lines []string) {
	w.t.Helper()
	for _, m := range w.list("/conversation/" + conversation["id"].(string) + "/message/list") {
		lines = append(lines, m["type"].(string)+": "+m["text"].(string))
	}
	return lines
}
