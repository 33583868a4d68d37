//go:build system

package deploy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/test/process"
	"parley/whatsapp/simulator"
)

const (
	phoneNumber = "106540352242922"
	accessToken = "EAAG-deploy-access-token"
	appSecret   = "deploy-app-secret"
	alice, bob  = "15551230001", "15551230002"
	carol       = "15551230003"
)

// shop is the topology with a bot, and Meta before it.
type shop struct {
	*topology
	meta *simulator.Simulator
	base string // of the API, at the balancer
}

// open starts everything in the order that docker-compose.yml asks for.
func open(t *testing.T) *shop {
	t.Helper()
	meta := simulator.New(simulator.Config{Faults: simulator.Calm()})
	t.Cleanup(meta.Close)
	graph := httptest.NewServer(meta)
	t.Cleanup(graph.Close)
	t.Cleanup(meta.Close) // first, so that no call hangs
	s := &shop{topology: newTopology(t, map[string]string{"PARLEY_GRAPH_URL": graph.URL}), meta: meta}
	s.eventstore()
	s.start(s.compose.of("etcd")...)
	s.listens("2379", s.compose.of("etcd")...)
	s.listens("2113", s.compose.of("eventstore")...)
	nodes := s.compose.of("parley")
	s.start(nodes...)
	s.healthy(nodes...)
	s.start("balancer")
	s.base = "http://" + s.names["balancer"] + ":8080"
	process.Eventually(t, 20*time.Second, "the balancer is healthy", func() bool {
		response, err := http.Get(s.base + "/healthz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	s.furnish()
	return s
}

// furnish makes a bot, which repeats what it is told, and connects the number.
func (s *shop) furnish() {
	s.t.Helper()
	bot := s.post("/bot/create", map[string]any{"name": "Ada", "backstory": "+ *\n- You said <star>."})["id"]
	integration := s.post("/integration/whatsapp/create", map[string]any{
		"name": "Shop", "botId": bot, "phoneNumberId": phoneNumber, "accessToken": accessToken, "appSecret": appSecret,
	})["id"]
	s.meta.Connect(simulator.Number{
		ID: phoneNumber, WABAID: "102290129340398", Display: "15550783881", Token: accessToken, AppSecret: appSecret,
		Callback: fmt.Sprintf("%s/api/v1/integration/whatsapp/%s/callback", s.base, integration),
	})
}

func (s *shop) request(ctx context.Context, method, path string, body any) (*http.Response, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+"/api/v1"+path, bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.secret)
	r.Header.Set("Content-Type", "application/json")
	return http.DefaultClient.Do(r)
}

func (s *shop) post(path string, body any) (answer map[string]any) {
	s.t.Helper()
	response, err := s.request(s.t.Context(), http.MethodPost, path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close() // read to the end below
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %v %v", path, response.StatusCode, answer, err)
	}
	return answer
}

// answered waits until Meta has the answer to what somebody wrote.
func (s *shop) answered(person, text string) {
	s.t.Helper()
	s.meta.Person(phoneNumber, person).Write(text)
	process.Eventually(s.t, 30*time.Second, "an answer to "+text, func() bool {
		return slices.ContainsFunc(s.meta.Accepted(person), func(a simulator.Accepted) bool { return a.Text() == "You said "+text+"." })
	})
}

// What docker-compose.yml names comes up with its settings, and a message makes
// its way from Meta through the balancer to an answer; also after a node was
// killed, and after it is back. P1 P4
func TestComposeComesUp(t *testing.T) {
	s := open(t)
	s.answered(alice, "hello")
	s.running["parley2"].Kill()
	s.answered(bob, "is anybody there")
	s.running["parley2"].Start()
	s.healthy("parley2")
	for _, name := range s.compose.of("parley") {
		process.Eventually(t, 20*time.Second, name+" sees all nodes", func() bool { return s.metric(name, "parley_cluster_members") == "3" })
	}
	s.answered(carol, "and now")
	s.checkMetrics()
	s.checkWorld()
	for _, name := range s.compose.of("parley") {
		s.running[name].Terminate()
	}
}

// metrics reads what a node says of itself.
func (s *shop) metrics(node string) string {
	response, err := http.Get("http://" + s.names[node] + ":8080/metrics")
	if err != nil {
		return ""
	}
	defer response.Body.Close() // read to the end below
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

func (s *shop) metric(node, name string) string {
	_, after, _ := strings.Cut(s.metrics(node), "\n"+name+" ")
	value, _, _ := strings.Cut(after, "\n")
	return value
}

// checkMetrics expects that every metric of alerts and panels is one of these
// nodes, but for those of a local log and of what went wrong.
func (s *shop) checkMetrics() {
	s.t.Helper()
	exposed := maps.Clone(silent)
	for _, name := range s.compose.of("parley") {
		maps.Copy(exposed, labelled(strings.NewReader(s.metrics(name))))
	}
	for where, expression := range expressions(s.t) {
		for _, m := range selector.FindAllStringSubmatch(expression, -1) {
			if exposed[m[1]] == nil && m[1] != "up" && !strings.HasPrefix(m[1], "parley_events_") {
				s.t.Errorf("%s: no node has %s", where, m[1])
			}
		}
	}
}

// checkWorld expects that the balancer keeps from the world what is not for it.
func (s *shop) checkWorld() {
	s.t.Helper()
	for path, want := range map[string]int{
		"/metrics": http.StatusNotFound, "/readyz": http.StatusNotFound, "/healthz": http.StatusOK, "/openapi.json": http.StatusOK,
		"/api/v1/bot/list": http.StatusUnauthorized,
	} {
		response, err := http.Get(s.base + path)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			s.t.Errorf("the world gets %d for %s", response.StatusCode, path)
		}
	}
}

// Nodes are restarted in turn, as an upgrade does it, and nobody notices: no
// request fails, and a stream's words come while it is open.
func TestAnUpgradeIsNotNoticed(t *testing.T) {
	s := open(t)
	asking, stop := context.WithCancel(t.Context())
	defer stop()
	var asked atomic.Int64
	var people sync.WaitGroup
	for range 4 {
		people.Go(func() {
			for asking.Err() == nil {
				s.asks(asking, &asked)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	for i, name := range s.compose.of("parley") {
		s.running[name].Terminate()
		s.answered(alice, fmt.Sprint("hello ", i))
		s.running[name].Start()
		s.healthy(name)
		time.Sleep(2 * time.Second) // the balancer looks twice a second
	}
	stop()
	people.Wait()
	t.Logf("%d requests", asked.Load())
	s.checkStream()
}

func (s *shop) asks(ctx context.Context, asked *atomic.Int64) {
	response, err := s.request(context.WithoutCancel(ctx), http.MethodGet, "/bot/list", nil)
	if err != nil {
		s.t.Errorf("a request fails: %v", err)
		return
	}
	defer response.Body.Close() // read to the end below
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		s.t.Errorf("a request is answered %d: %v", response.StatusCode, err)
	}
	asked.Add(1)
}

// checkStream follows the event log through the balancer: what happens is told
// while the stream is open.
func (s *shop) checkStream() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	response, err := s.request(ctx, http.MethodPost, "/event/log/subscribe", map[string]any{"historyLength": 1})
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close() // it has no end
	lines := bufio.NewScanner(response.Body)
	if !lines.Scan() {
		s.t.Fatalf("no line of the stream: %v", lines.Err())
	}
	s.answered(bob, "still there")
	if !lines.Scan() {
		s.t.Errorf("the stream does not tell what happens: %v", lines.Err())
	}
}

// Prometheus takes its configuration, finds all nodes, and understands every
// alert.
func TestPrometheusSeesAllNodes(t *testing.T) {
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("skipped: there is no prometheus on this machine (Debian: prometheus)")
	}
	s := open(t)
	s.start("prometheus")
	process.Eventually(t, 60*time.Second, "all nodes are up", func() bool {
		return strings.Contains(s.prometheus("/api/v1/query?query=count(up==1)"), `"3"]`)
	})
	rules := s.prometheus("/api/v1/rules")
	for _, g := range loadRules(t).Groups {
		for _, r := range g.Rules {
			if !strings.Contains(rules, `"name":"`+r.Alert+`"`) {
				t.Errorf("Prometheus does not know %s", r.Alert)
			}
		}
	}
	if strings.Contains(rules, `"health":"err"`) || strings.Contains(rules, `"state":"firing"`) {
		t.Errorf("something is wrong: %s", rules)
	}
}

func (s *shop) prometheus(path string) string {
	response, err := http.Get("http://" + s.names["prometheus"] + ":9090" + path)
	if err != nil {
		return ""
	}
	defer response.Body.Close() // read to the end below
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return string(text)
}
