package parley_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"parley"
	"parley/whatsapp/simulator"
)

const (
	guideFile = "docs/whatsapp-setup.md"
	guideURL  = "https://bot.example.org"
	guideWABA = "102290129340398"
)

// reader follows the guide: it keeps what the guide's shell would keep, and
// fills in what a person would.
type reader struct {
	*house
	variables map[string]string
	done      map[string]int // commands by what they are
}

var placeholders = strings.NewReplacer(
	"YOUR_API_SECRET", apiSecret, "ACCESS_TOKEN", accessToken, "APP_SECRET", appSecret,
	"PHONE_NUMBER_ID", phoneNumber, "WABA_ID", guideWABA,
)

// TestTheSetupGuide runs the commands of the guide, in their order.
// F024 F025 F049 F270 F283 F284 F286 F287 F288
func TestTheSetupGuide(t *testing.T) {
	guide, err := os.ReadFile(guideFile)
	if err != nil {
		t.Fatal(err)
	}
	commands := shellCommands(string(guide))
	synctest.Test(t, func(t *testing.T) {
		r := &reader{house: build(t, options{}), variables: map[string]string{}, done: map[string]int{}}
		defer r.close()
		r.stop()
		r.config.PublicURL = guideURL
		r.start()
		for _, command := range commands {
			r.run(placeholders.Replace(command))
		}
		for what, least := range map[string]int{"create": 2, "fetch": 1, "update": 1, "setup": 2, "initiate": 1, "list": 4, "delete": 1, "serve": 2, "doctor": 1, "graph": 3} {
			if r.done[what] < least {
				t.Errorf("the guide has %d commands of %q, and not %d at least", r.done[what], what, least)
			}
		}
		want := []string{"You said: Hello", "Your order is ready.", "[template hello_world]"}
		var got []string
		for _, a := range r.sim.Accepted(alice) {
			got = append(got, a.Text())
		}
		if !slices.Equal(got[:min(2, len(got))], want[:2]) || r.done["template"] != 1 {
			t.Errorf("who follows the guide writes %q, and %d templates", got, r.done["template"])
		}
	})
}

// shellCommands gives the commands in a page, each in one line.
func shellCommands(page string) (all []string) {
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", "")) {
			if line = strings.TrimSpace(line); line != "" {
				all = append(all, line)
			}
		}
	}
	return all
}

// words splits a command as a shell does, as far as the guide needs it.
func (r *reader) words(command string) (all []string) {
	var word strings.Builder
	quote, started := rune(0), false
	runes := []rune(command)
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case quote == 0 && c == ' ':
			if started {
				all = append(all, word.String())
			}
			word.Reset()
			started = false
			continue
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote && quote != 0:
			quote = 0
		case c == '\\' && quote != '\'':
			i++
			word.WriteRune(runes[i])
		case c == '$' && quote != '\'':
			name := regexp.MustCompile(`^[A-Z_]+`).FindString(string(runes[i+1:]))
			value, ok := r.variables[name]
			if !ok {
				r.t.Errorf("$%s is used before it is set: %s", name, command)
			}
			word.WriteString(value)
			i += len(name)
		default:
			word.WriteRune(c)
		}
		started = true
	}
	if quote != 0 {
		r.t.Errorf("a quote is open: %s", command)
	}
	if started {
		all = append(all, word.String())
	}
	return all
}

var assignment = regexp.MustCompile(`^[A-Z_]+=`)

// run does what a command does.
func (r *reader) run(command string) {
	r.t.Helper()
	words := r.words(command)
	for len(words) > 0 && (words[0] == "export" || assignment.MatchString(words[0])) {
		if name, value, ok := strings.Cut(words[0], "="); ok {
			r.variables[name] = value
		}
		words = words[1:]
	}
	switch {
	case len(words) == 0:
	case words[0] == "curl":
		r.curl(command, words[1:])
	case words[0] == "parley" && words[1] == "serve":
		r.done["serve"]++
		if _, err := parley.LoadConfig("serve", words[2:], func(string) string { return "" }, io.Discard); err != nil {
			r.t.Errorf("%s: %v", command, err)
		}
	case words[0] == "parley" && words[1] == "doctor":
		r.done["doctor"]++
		if r.variables["PARLEY_SECRET"] != apiSecret || words[len(words)-1] != r.integration || !slices.Contains(words, guideURL) {
			r.t.Errorf("the doctor is called by %q", words)
		}
	default:
		r.t.Errorf("the guide's reader cannot do this: %s", command)
	}
}

// curl sends what curl would.
func (r *reader) curl(command string, words []string) {
	r.t.Helper()
	method, address, body := "", "", ""
	header := http.Header{}
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "-X":
			i++
			method = words[i]
		case "-H":
			i++
			name, value, _ := strings.Cut(words[i], ": ")
			header.Set(name, value)
		case "-d":
			i++
			body = words[i]
		default:
			address = words[i]
		}
	}
	switch {
	case method != "":
	case body != "":
		method = http.MethodPost
	default:
		method = http.MethodGet
	}
	if body != "" && (!json.Valid([]byte(body)) || header.Get("Content-Type") != "application/json") {
		r.t.Errorf("no JSON: %s", command)
	}
	request := httptest.NewRequest(method, address, strings.NewReader(body))
	request.Header = header
	if path, ok := strings.CutPrefix(address, guideURL+"/api/v1"); ok {
		r.api(command, path, request)
		return
	}
	r.graph(command, request, body)
}

// api calls Parley, does what a person does meanwhile, and keeps the answer.
func (r *reader) api(command, path string, request *http.Request) {
	r.t.Helper()
	path, _, _ = strings.Cut(path, "?")
	what := path[strings.LastIndex(path, "/")+1:]
	if path == "/conversation/list" {
		r.person(alice).Write("Hello")
		r.settle()
	}
	a := r.do(request)
	if a.status != 200 {
		r.t.Errorf("%s: %d %s", command, a.status, a.text)
		return
	}
	r.done[what]++
	switch path {
	case "/bot/create":
		r.variables["BOT"] = a.body["id"].(string)
	case integrations + "/create":
		r.integration = a.body["id"].(string)
		r.variables["INTEGRATION"] = r.integration
	case integrations + "/" + r.integration + "/fetch":
		r.verify(a.body["verifyToken"].(string))
	case integrations + "/" + r.integration + "/update":
		r.connect(accessToken)
		r.sim.Arrange(phoneNumber, func(d *simulator.Dashboard) { d.Callback = guideURL + r.callback() })
	case "/conversation/list":
		r.variables["CONVERSATION"] = a.body["items"].([]any)[0].(object)["id"].(string)
	}
	if what == "initiate" {
		r.settle()
	}
	if items, ok := a.body["items"].([]any); ok && len(items) == 0 && !strings.Contains(command, "api.error") {
		r.t.Errorf("%s: nothing is listed", command)
	}
}

// verify asks Meta's question at the address that the guide names.
func (r *reader) verify(token string) {
	guide, err := os.ReadFile(guideFile)
	if err != nil {
		r.t.Fatal(err)
	}
	shown := regexp.MustCompile("`" + guideURL + "(/[^`]*INTEGRATION[^`]*)`").FindSubmatch(guide)
	if shown == nil {
		r.t.Fatal("the guide names no callback")
	}
	path := strings.ReplaceAll(string(shown[1]), "INTEGRATION", r.integration)
	for _, slash := range []string{"", "/"} { // F280
		request := httptest.NewRequest(http.MethodGet, path+slash+"?hub.mode=subscribe&hub.challenge=42&hub.verify_token="+token, nil)
		if a := r.do(request); a.status != 200 || a.text != "42" {
			r.t.Errorf("the callback %s: %d %s", path+slash, a.status, a.text)
		}
	}
}

// graphCalls are those of Meta's that the guide may name, below the version.
var graphCalls = regexp.MustCompile(`^POST /(` + guideWABA + `/subscribed_apps|` + phoneNumber + `/(register|messages))$`)

// graph checks a call of Meta's, and makes those that the simulator knows.
func (r *reader) graph(command string, request *http.Request, body string) {
	r.t.Helper()
	r.done["graph"]++
	base := r.config.GraphURL
	defaults, err := load(r.t, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	path, ok := strings.CutPrefix(request.URL.String(), defaults.GraphURL+"/"+defaults.GraphVersion)
	if !ok || !graphCalls.MatchString(request.Method+" "+path) || request.Header.Get("Authorization") != "Bearer "+accessToken {
		r.t.Errorf("not a call of Meta's: %s", command)
		return
	}
	if !strings.HasSuffix(path, "/messages") {
		return
	}
	r.done["template"]++
	call, err := http.NewRequest(request.Method, base+"/"+defaults.GraphVersion+path, bytes.NewReader([]byte(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	call.Header = request.Header
	response, err := r.sim.Transport().RoundTrip(call)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		text, _ := io.ReadAll(response.Body)
		r.t.Errorf("%s: %d %s", command, response.StatusCode, text)
	}
}

// What the guide names exists: settings, flags, commands, events, fields,
// codes, metrics and the places it leads to.
func TestTheSetupGuideNamesWhatThereIs(t *testing.T) { // F049 F292
	guide := readPage(t, guideFile)
	page := readPage(t, "docs/whatsapp.md")
	var help bytes.Buffer
	_, _ = parley.LoadConfig("serve", []string{"--help"}, func(string) string { return "" }, &help) // it says that help was asked for
	cli := ""
	for _, file := range []string{"main", "doctor", "token"} {
		cli += readPage(t, filepath.Join("cmd", "parley", file+".go"))
	}
	metrics, fields := "", map[string]bool{}
	inHouse(t, options{}, func(h *house) {
		h.post(integrations+"/"+h.integration+"/update", object{"alias": "shop"})
		for range 2 {
			h.call(http.MethodPost, integrations+"/none/callback", "", object{})
		}
		metrics = h.do(httptest.NewRequest(http.MethodGet, "/metrics", nil)).text
		for field := range maps.Keys(h.fetch(h.integration)) {
			fields[field] = true
		}
	})
	exists := func(code string) bool {
		word := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(code) }
		switch {
		case word(`^[A-Z_]+$`) && strings.Contains(code, "_"):
			return strings.Contains(help.String(), ", "+code+"\n") || code == "PARLEY_SECRET"
		case word(`^--[a-z-]+$`):
			return strings.Contains(help.String(), "  "+code+",") || strings.Contains(cli, `"`+strings.TrimPrefix(code, "--")+`", "`)
		case word(`^parley [a-z]+( [a-z]+)?$`):
			for _, part := range strings.Fields(code)[1:] {
				if !strings.Contains(cli, `"`+part+`"`) {
					return false
				}
			}
			return true
		case word(`^parley_[a-z_]+$`):
			return strings.Contains(metrics, "\n"+code)
		case word(`^[a-z]+[.][a-z]+$`), word(`^[a-z]+(_[a-z]+)+$`):
			return strings.Contains(page, "`"+code+"`") || strings.Contains(metrics, `="`+code+`"`)
		case word(`^[a-z]+[A-Z][A-Za-z]+$`):
			return fields[code] || strings.Contains(page, "`"+code+"`")
		}
		return true
	}
	for _, code := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(regexp.MustCompile("(?s)```.*?```").ReplaceAllString(guide, ""), -1) {
		if !exists(code[1]) {
			t.Errorf("the guide names %s, which there is not", code[1])
		}
		if flags, ok := strings.CutPrefix(code[1], "parley serve "); ok {
			if _, err := load(t, nil, strings.Fields(flags)...); err != nil {
				t.Errorf("%s: %v", code[1], err)
			}
		}
	}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d[^|]*) \|`).FindAllStringSubmatch(guide, -1) {
		for _, c := range regexp.MustCompile(`\d+(–\d+)?`).FindAllString(row[1], -1) {
			if !strings.Contains(page, "\n| "+c+" |") && !strings.Contains(page, "subcode "+c) && c != "133010" { // of 133000–133999
				t.Errorf("the code %s is not in docs/whatsapp.md", c)
			}
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)(#([^)]+))?\)`).FindAllStringSubmatch(guide, -1) {
		if target := readPage(t, filepath.Join("docs", link[1])); link[3] != "" && !slices.Contains(anchors(target), link[3]) {
			t.Errorf("%s has no place %q", link[1], link[3])
		}
	}
	if !strings.Contains(readPage(t, "README.md"), "("+guideFile+")") {
		t.Error("the README does not lead to the guide")
	}
}

// What the feature list wants a person to be told is told.
func TestTheSetupGuideTellsEverything(t *testing.T) {
	guide := readPage(t, guideFile)
	for row, words := range map[string][]string{
		"F024 F262":           {"**Business account.**", "administrator"},
		"F026 F048 F268 F309": {"whatsapp_business_messaging", "whatsapp_business_management", "with both permissions"},
		"F028 F275":           {"Note down** the phone number ID", "No phone number ID found"},
		"F046 F263":           {"verify the business", "payment method", "131042"},
		"F047 F267 F281 F282": {"*test number*", "verified, in the list", "131030"},
		"F076 F077":           {"Meta calls only `https://`", "Automatic certificates", "certificate of your own", "reverse proxy", "tunnel"},
		"F081 F279":           {"compared exactly, upper and lower case count"},
		"F082 F083":           {"the ID in the address is not one of an integration, or that was deleted"},
		"F084 F085 F271":      {"each delivery of Meta's has one", "subscribe to **messages**"},
		"F087":                {"Both IDs stand in the event"},
		"F088 F089 F090":      {"Meta reports timeouts", "/readyz", "/metrics", "`waitingTime`"},
		"F103 F115 F123 F130": {"take the webhook away", "Parley does not do it for you", "revoke the system user's token"},
		"F119 F124 F128":      {"another callback and verify token", "When you stop a service", "Tell people, by `initiate`"},
		"F165":                {"never in a page, a repository or a chat"},
		"F264 F266":           {"**App.**", "*production number*"},
		"F269 F278":           {"role **Admin**", "expires **never**"},
		"F277":                {"invalid, expired or revoked"},
		"F285 F287":           {"Generate a token", "/setup"},
		"F305 F311 F318":      {"keeps more of what was said", "**Another number.**", "integration's `meta`"},
		"the window":          {"24 hours", "131047", "template"},
		"the subscription":    {"/subscribed_apps", "no real message ever comes"},
	} {
		for _, w := range words {
			if !strings.Contains(guide, w) {
				t.Errorf("%s: the guide does not say %q", row, w)
			}
		}
	}
}

func readPage(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// anchors are the places in a page that links can lead to.
func anchors(page string) (all []string) {
	for _, title := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		text := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(title[1]), "")
		all = append(all, strings.ReplaceAll(text, " ", "-"))
	}
	return all
}
