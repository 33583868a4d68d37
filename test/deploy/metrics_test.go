package deploy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"parley"
	"parley/test/process"
)

// rules is a file of Prometheus's.
type rules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

// dashboard is Grafana's, as far as it is looked at.
type dashboard struct {
	Panels []struct {
		Title, Type, Description string
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct{ Expr string }
	}
	Templating struct {
		List []struct{ Name, Definition string }
	}
}

func loadRules(t *testing.T) (r rules) {
	t.Helper()
	if err := strictly(read(t, "deploy", "monitoring", "rules.yml"), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func loadDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "deploy", "monitoring", "dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// expressions are all that Prometheus is asked, by where.
func expressions(t *testing.T) map[string]string {
	all := map[string]string{}
	for _, g := range loadRules(t).Groups {
		for _, r := range g.Rules {
			all[r.Alert] = r.Expr
		}
	}
	d := loadDashboard(t)
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprintf("%s, line %d", p.Title, i+1)] = target.Expr
		}
	}
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			all["variable "+v.Name] = v.Definition
		}
	}
	return all
}

// silent are the series that a node has only when something went wrong, by what
// else they have in their source.
var silent = map[string][]string{
	"parley_actors_panics_total":    {"kind"},
	"parley_actors_conflicts_total": {"kind"},
}

var (
	selector = regexp.MustCompile(`((?:parley|process|go)_[a-z_]+|\bup\b)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!=|!~|=)\s*"`)
	sample   = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? [^ ]+$`)
)

// Every metric that an alert or a panel asks for is one that a node has, with
// those labels.
func TestMetricsExist(t *testing.T) {
	exposed := scrapeAll(t)
	for where, expression := range expressions(t) {
		for _, s := range selector.FindAllStringSubmatch(expression, -1) {
			has, known := exposed[s[1]]
			if !known && s[1] != "up" {
				t.Errorf("%s: no node has %s", where, s[1])
			}
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				if label := m[1]; !slices.Contains(has, label) && label != "job" && label != "instance" {
					t.Errorf("%s: %s has no label %s, only %v", where, s[1], label, has)
				}
			}
		}
	}
	for name := range silent {
		if _, known := exposed[name]; !known {
			t.Errorf("%s is not looked at", name)
		}
	}
	page := read(t, "docs", "deploy.md")
	for _, name := range regexp.MustCompile(`parley_[a-z_]+`).FindAllString(page, -1) {
		if exposed[name] == nil && exposed[name+"_bucket"] == nil {
			t.Errorf("docs/deploy.md: no node has %s", name)
		}
	}
	for _, g := range loadRules(t).Groups {
		for _, r := range g.Rules {
			if !strings.Contains(page, "`"+r.Alert+"`") {
				t.Errorf("docs/deploy.md does not tell of %s", r.Alert)
			}
		}
	}
}

// scrapeAll gives the names of all metrics with their labels: of a node with a
// log in its directory that has answered somebody, and of one with a log that is
// elsewhere.
func scrapeAll(t *testing.T) map[string][]string {
	t.Helper()
	all := maps.Clone(silent)
	maps.Copy(all, scrapeTrial(t))
	maps.Copy(all, scrapeRemote(t))
	return all
}

func load(t *testing.T, command string, args ...string) parley.Config {
	t.Helper()
	c, err := parley.LoadConfig(command, args, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stop ends a node with the test.
func stop(t *testing.T, how func(context.Context) error) {
	t.Cleanup(func() {
		if err := how(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func scrapeTrial(t *testing.T) map[string][]string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	trial, err := parley.StartTrial(t.Context(), load(t, "try", "--data", t.TempDir(), "--listen", address, "--gather", "0"), slog.New(slog.DiscardHandler), listener)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, trial.Stop)
	said, err := http.Post("http://"+address+"/try/send", "application/json", strings.NewReader(`{"person": "15550100001", "text": "hello"}`))
	if err != nil || said.StatusCode != http.StatusOK {
		t.Fatal(err, said)
	}
	_ = said.Body.Close()
	var all map[string][]string
	process.Eventually(t, 20*time.Second, "somebody is answered", func() bool {
		all = scrape(trial.Handler())
		return all["parley_graph_sends_total"] != nil && all["parley_turn_stage_seconds_bucket"] != nil
	})
	return all
}

func scrapeRemote(t *testing.T) map[string][]string {
	t.Helper()
	address := process.FreeAddress(t, "127.0.0.1")
	log, err := parley.StartLog(t.Context(), load(t, "log serve", "--data", t.TempDir(), "--log-listen", address), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, log.Stop)
	config := load(t, "serve", "--data", t.TempDir(), "--events", "esdb://"+address+"?tls=false", "--tokens", "acme:sk-acme")
	node, err := parley.Start(t.Context(), config, parley.Parts{}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, node.Stop)
	return scrape(node.Handler())
}

// scrape reads /metrics.
func scrape(h http.Handler) map[string][]string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return labelled(w.Body)
}

// labelled gives the names of metrics in Prometheus's text with their labels.
func labelled(text io.Reader) map[string][]string {
	all := map[string][]string{}
	for lines := bufio.NewScanner(text); lines.Scan(); {
		if s := sample.FindStringSubmatch(lines.Text()); s != nil {
			all[s[1]] = []string{}
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				all[s[1]] = append(all[s[1]], m[1])
			}
		}
	}
	return all
}

// The operator's form of the rules says the same, and every alert says what a
// person is to make of it.
func TestRules(t *testing.T) {
	r := loadRules(t)
	resource := find[rules](t, manifests(t, "monitoring"))
	if diff := cmp.Diff(r, resource.Spec); diff != "" {
		t.Errorf("rules-resource.yaml differs from rules.yml: %s", diff)
	}
	for _, g := range r.Groups {
		for _, rule := range g.Rules {
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" || !slices.Contains([]string{"warning", "critical"}, rule.Labels["severity"]) {
				t.Errorf("%s says nothing", rule.Alert)
			}
			for _, setting := range regexp.MustCompile(`PARLEY_[A-Z_]+`).FindAllString(rule.Annotations["description"], -1) {
				accepted(t, rule.Alert, map[string]string{setting: ""})
			}
		}
	}
}

// Panels do not lie upon each other, and each says what it shows.
func TestDashboard(t *testing.T) {
	taken := map[[2]int]string{}
	for _, p := range loadDashboard(t).Panels {
		if p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("%s shows nothing", p.Title)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies upon %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// Prometheus asks every node, and Grafana is given what it names.
func TestMonitoringOfCompose(t *testing.T) {
	c := loadCompose(t, dotenv(read(t, ".env.example")))
	var config struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy", "compose", "prometheus.yml")), &config); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range c.of("parley") {
		want = append(want, name+":8080")
	}
	if diff := cmp.Diff(want, config.ScrapeConfigs[0].StaticConfigs[0].Targets); diff != "" || config.ScrapeConfigs[0].JobName != "parley" {
		t.Errorf("Prometheus asks others: %s", diff)
	}
	if diff := cmp.Diff(want, regexp.MustCompile(`parley\d:8080`).FindAllString(read(t, "deploy", "compose", "haproxy.cfg"), -1)); diff != "" {
		t.Errorf("the balancer has others: %s", diff)
	}
	mounts := strings.Join(slices.Concat(c.Services["prometheus"].Volumes, c.Services["grafana"].Volumes), "\n")
	var provider struct {
		Providers []struct{ Options struct{ Path string } }
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy", "compose", "grafana", "dashboards", "parley.yml")), &provider); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(config.RuleFiles, provider.Providers[0].Options.Path+"/parley.json") {
		if !strings.Contains(mounts, ":"+path+":ro") {
			t.Errorf("nothing is mounted at %s", path)
		}
	}
}
