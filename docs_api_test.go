package parley_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/whatsapp/simulator"
)

const apiPage = "docs/api.md"

// example is a block of shell with a call, and the answer behind it, if there
// is one yet.
var example = regexp.MustCompile("(?s)```sh\n(.*?)```\n(\n```(json|jsonl|csv|text)(?: (\\d+))?\n(.*?)```\n)?")

// pageNames says which variable the page uses for what an operation makes.
var pageNames = map[string]string{
	"createBlueprint": "BLUEPRINT", "createBot": "BOT", "cloneBot": "COPY", "createWhatsAppIntegration": "INTEGRATION",
	"createConversation": "CONVERSATION", "createConversationMessage": "MESSAGE", "uploadConversationAttachment": "ATTACHMENT",
	"createContact": "CONTACT", "createFile": "FILE",
}

// TestTheAPIPage runs every example of the page, in its order, and compares
// the answers. With -write-docs it writes them.
func TestTheAPIPage(t *testing.T) {
	text, err := os.ReadFile(apiPage)
	if err != nil {
		t.Fatal(err)
	}
	var want string
	inEmptyHouse(t, func(h *house) {
		p := &pageRun{h: h, shell: shell{"A": "http://parley.test/api/v1", "H": "Authorization: Bearer " + apiSecret}, seen: map[string]bool{}}
		h.sim.Connect(simulator.Number{
			ID: phoneNumber, WABAID: "102290129340398", Display: "15550783881", Token: "EAAG-your-token", Callback: "http://parley.test/",
		})
		want = example.ReplaceAllStringFunc(string(text), p.example)
		for _, d := range operations(loadDescription(t)) {
			if !p.seen[d.OperationID] {
				t.Errorf("%s has no example", d)
			}
		}
	})
	if *writeDocs {
		if err := os.WriteFile(apiPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, lines := strings.Split(string(text), "\n"), strings.Split(want, "\n")
	for i := range min(len(got), len(lines)) {
		if got[i] != lines[i] {
			t.Fatalf("%s:%d is not what the server answers (write it anew with -write-docs):\n%s\nbut\n%s", apiPage, i+1, got[i], lines[i])
		}
	}
	if len(got) != len(lines) {
		t.Errorf("%s has %d lines, and should have %d", apiPage, len(got), len(lines))
	}
}

// pageRun is one way through the page.
type pageRun struct {
	h     *house
	shell shell
	// seen are the operations that were called.
	seen map[string]bool
}

// example runs an example and gives it with its answer.
func (p *pageRun) example(block string) string {
	p.h.t.Helper()
	m := example.FindStringSubmatch(block)
	r, sent, err := p.shell.request(m[1])
	if err != nil {
		p.h.t.Fatalf("%s: %v", m[1], err)
	}
	contract, err := theContract()
	if err != nil {
		p.h.t.Fatal(err)
	}
	d, described := contract.find(r.Method, strings.TrimPrefix(r.URL.Path, "/api/v1"))
	if !described || strings.Contains(r.URL.String()+sent, "$") {
		p.h.t.Fatalf("nobody knows what this asks for: %s", m[1])
	}
	p.seen[d.OperationID] = true
	if d.endless() {
		return p.endless(d, r, block, m[5])
	}
	a := p.h.do(r)
	p.h.settle()
	p.learn(d, a)
	return "```sh\n" + m[1] + "```\n\n" + p.shown(a)
}

// endless holds the lines that somebody wrote on the page to the description of
// those of an answer that stays open.
func (p *pageRun) endless(d described, r *http.Request, block, lines string) string {
	if a := p.h.within(func() answer { return p.h.do(r) }); a.status != openAnswer {
		p.h.t.Errorf("%s: %d %s", d, a.status, a.text)
	}
	if err := visitLines(d.Responses.Status(http.StatusOK).Value.Content["application/jsonl"].Schema.Value, lines); err != nil || lines == "" {
		p.h.t.Errorf("%s: the page has %q: %v", d, lines, err)
	}
	return block
}

// learn gives names to what an answer brings.
func (p *pageRun) learn(d described, a answer) {
	if name := pageNames[d.OperationID]; name != "" && a.status == http.StatusOK {
		p.shell[name], _ = a.body["id"].(string)
	}
	if token, ok := a.body["verifyToken"].(string); ok {
		p.shell["VERIFY_TOKEN"] = token
	}
	if d.OperationID == "downloadFile" && a.body != nil {
		p.shell["DOWNLOAD"], _ = a.body["url"].(string)
	}
	if upload, ok := a.body["uploadRequest"].(object); ok {
		p.shell["UPLOAD"], _ = upload["url"].(string)
	}
}

// shown is an answer as the page shows it.
func (p *pageRun) shown(a answer) string {
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	language := map[string]string{"application/json": "json", "application/jsonl": "jsonl", "text/csv": "csv"}[kind]
	text := p.plain(a.text)
	switch language {
	case "json":
		text = wrapJSON(text)
	case "":
		language = "text"
	}
	if a.status != http.StatusOK {
		language += " " + strconv.Itoa(a.status)
	}
	return "```" + language + "\n" + strings.TrimSuffix(text, "\n") + "\n```\n"
}

// What differs from run to run, and what stands for it.
var changing = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\b9\d{11}\b`), "1767225600000"},
	{regexp.MustCompile(`("cursor": ?")\.\w+"`), `$1…"`},
	{regexp.MustCompile(`("id": ?")\w+"`), `$1…"`},
	{regexp.MustCompile(`"[a-z0-9]{25}"`), `"…"`},
	{regexp.MustCompile(`wamid\.[\w-]{10,}`), "wamid.…"},
	{regexp.MustCompile(`("fingerprint": ?")[a-f0-9-]{36}"`), `$1…"`},
}

// plain writes an answer so that it is the same in every run: IDs as
// variables, times as one time, and the rest of what is drawn by lot as "…".
func (p *pageRun) plain(text string) string {
	for _, name := range slices.Sorted(maps.Keys(p.shell)) {
		if value := p.shell[name]; name != "A" && name != "H" && value != "" {
			text = strings.ReplaceAll(text, value, "$"+name)
		}
	}
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.instead)
	}
	return text
}

// shell has the page's variables.
type shell map[string]string

// request reads a call of curl as far as the page uses it.
func (s shell) request(command string) (r *http.Request, sent string, err error) {
	words := s.words(strings.ReplaceAll(command, "\\\n", " "))
	if len(words) == 0 || words[0] != "curl" {
		return nil, "", fmt.Errorf("not a call of curl")
	}
	method, address, header := http.MethodGet, "", http.Header{}
	for i := 1; i < len(words); i++ {
		switch word := words[i]; {
		case word == "-N":
		case !strings.HasPrefix(word, "-"):
			address = word
		case i+1 == len(words):
			return nil, "", fmt.Errorf("%s says nothing", word)
		default:
			i++
			switch word {
			case "-X":
				method = words[i]
			case "-H":
				name, value, _ := strings.Cut(words[i], ": ")
				header.Set(name, value)
			case "--json":
				method, sent = http.MethodPost, words[i]
				header.Set("Content-Type", "application/json")
			case "--data-binary":
				sent = words[i]
			default:
				return nil, "", fmt.Errorf("%s is not known here", word)
			}
		}
	}
	if strings.HasPrefix(address, "$") {
		address = "http://parley.test/" + address
	}
	r = httptest.NewRequest(method, address, strings.NewReader(sent))
	r.Header = header
	return r, sent, nil
}

// A word of a command, and the pieces it consists of: in single quotes, in
// double quotes, and bare.
var (
	shellWord  = regexp.MustCompile(`(?:'[^']*'|"[^"]*"|[^\s'"]+)+`)
	shellPiece = regexp.MustCompile(`'([^']*)'|"([^"]*)"|([^\s'"]+)`)
)

// words takes a command apart as a shell does: variables count outside of
// single quotes. One that is not known stays.
func (s shell) words(command string) []string {
	var words []string
	for _, w := range shellWord.FindAllString(command, -1) {
		var word strings.Builder
		for _, piece := range shellPiece.FindAllStringSubmatch(w, -1) {
			word.WriteString(piece[1])
			word.WriteString(os.Expand(piece[2]+piece[3], func(name string) string {
				if value, ok := s[name]; ok {
					return value
				}
				return "$" + name
			}))
		}
		words = append(words, word.String())
	}
	return words
}

// The page's JSON: what fits into a line stands in one, and of long lists there
// is the beginning.
const (
	jsonWidth = 140
	jsonItems = 4
)

// wrapJSON lays JSON out for reading, in the order it has.
func wrapJSON(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	n, err := readNode(d)
	if err != nil {
		return text
	}
	return n.wrap("", 0)
}

// node is a JSON value as text, or the parts of an object or a list.
type node struct {
	text        string
	open, close string
	keys        []string
	parts       []node
}

func readNode(d *json.Decoder) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err := e.Encode(token)
		return node{text: strings.TrimSpace(b.String())}, err
	}
	n := node{open: delim.String(), close: map[json.Delim]string{'{': "}", '[': "]"}[delim]}
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return n, err
			}
			n.keys = append(n.keys, fmt.Sprintf("%q: ", key))
		}
		part, err := readNode(d)
		if err != nil {
			return n, err
		}
		n.parts = append(n.parts, part)
	}
	_, err = d.Token()
	if delim == '[' && len(n.parts) > jsonItems {
		n.parts = append(n.parts[:2:2], node{text: "…"})
	}
	return n, err
}

// line is the value in one line.
func (n node) line() string {
	if n.open == "" {
		return n.text
	}
	var parts []string
	for i, part := range n.parts {
		parts = append(parts, n.key(i)+part.line())
	}
	return n.open + strings.Join(parts, ", ") + n.close
}

func (n node) key(i int) string {
	if n.keys == nil {
		return ""
	}
	return n.keys[i]
}

// wrap is the value behind what stands already in its line.
func (n node) wrap(indent string, before int) string {
	if line := n.line(); len(n.parts) == 0 || len(indent)+before+len(line) <= jsonWidth {
		return line
	}
	deeper := indent + "  "
	var parts []string
	for i, part := range n.parts {
		parts = append(parts, deeper+n.key(i)+part.wrap(deeper, len(n.key(i))))
	}
	return n.open + "\n" + strings.Join(parts, ",\n") + "\n" + indent + n.close
}
