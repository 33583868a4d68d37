package deploy

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// root is the top of the checkout.
var root = filepath.Join("..", "..")

// read gives a file of the checkout.
func read(t *testing.T, path ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// strictly decodes YAML, in which every field must be known.
func strictly(text string, into any) error {
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	return d.Decode(into)
}

// compose is docker-compose.yml, as far as it is used. A field that is not here
// is refused, and so are those with mistakes in their names.
type compose struct {
	Name     string
	Services map[string]*service
	Networks map[string]struct{ Internal bool }
	Secrets  map[string]struct{ File string }
	Volumes  map[string]struct{}

	// Pieces that the services are made of.
	Logging           any `yaml:"x-logging"`
	Parley            any `yaml:"x-parley"`
	ParleyEnvironment any `yaml:"x-parley-environment"`
	EventStore        any `yaml:"x-eventstore"`
	EventEnvironment  any `yaml:"x-eventstore-environment"`
	Etcd              any `yaml:"x-etcd"`
}

type service struct {
	Image, Build, Restart string
	StopGracePeriod       string   `yaml:"stop_grace_period"`
	ReadOnly              bool     `yaml:"read_only"`
	CapDrop               []string `yaml:"cap_drop"`
	SecurityOpt           []string `yaml:"security_opt"`
	Tmpfs, Secrets        []string
	Command, Ports        []string
	Volumes               []string
	Environment           map[string]string
	Networks              networks
	DependsOn             map[string]struct{ Condition string } `yaml:"depends_on"`
	Logging               struct {
		Driver  string
		Options map[string]string
	}
	Healthcheck *struct {
		Test              []string
		Interval, Timeout string
		Retries           int
	}
}

// networks are those of a service, with the names that it has there besides its
// own. Without any it is in the default one.
type networks map[string][]string

// UnmarshalYAML reads both forms.
func (n *networks) UnmarshalYAML(node *yaml.Node) error {
	var list []string
	if node.Decode(&list) == nil {
		*n = networks{}
		for _, name := range list {
			(*n)[name] = nil
		}
		return nil
	}
	var named map[string]struct{ Aliases []string }
	if err := node.Decode(&named); err != nil {
		return err
	}
	*n = networks{}
	for name, in := range named {
		(*n)[name] = in.Aliases
	}
	return nil
}

var variable = regexp.MustCompile(`\$\{([A-Z_]+)(:-[^}]*|:\?[^}]*)?\}`)

// loadCompose reads docker-compose.yml as docker compose does that is told env.
func loadCompose(t *testing.T, env map[string]string) *compose {
	t.Helper()
	text := variable.ReplaceAllStringFunc(read(t, "docker-compose.yml"), func(use string) string {
		parts := variable.FindStringSubmatch(use)
		switch value, otherwise := env[parts[1]], parts[2]; {
		case value != "":
			return value
		case strings.HasPrefix(otherwise, ":-"):
			return otherwise[2:]
		default:
			t.Errorf("%s is not set: %s", parts[1], otherwise)
			return ""
		}
	})
	c := &compose{}
	if err := strictly(text, c); err != nil {
		t.Fatalf("docker-compose.yml: %v", err)
	}
	return c
}

// of gives the names of the services that run an image.
func (c *compose) of(image string) (names []string) {
	for name, s := range c.Services {
		if strings.Contains(s.Image, image) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// dotenv reads a file of variables.
func dotenv(text string) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			env[name] = value
		}
	}
	return env
}

var fixed = regexp.MustCompile(`:v?[0-9]+\.[0-9]+\.[0-9]+(-[a-z-]+)?$`)

func TestComposeIsWhole(t *testing.T) {
	c := loadCompose(t, dotenv(read(t, ".env.example")))
	for name, s := range c.Services {
		switch {
		case s.Build == "" && !fixed.MatchString(s.Image):
			t.Errorf("%s: %q is not a fixed version", name, s.Image)
		case s.Restart != "unless-stopped":
			t.Errorf("%s is not started again when it ends", name)
		case s.Logging.Options["max-size"] == "":
			t.Errorf("%s: its log grows without bound", name)
		}
		for on, how := range s.DependsOn {
			other := c.Services[on]
			healthy := other != nil && (other.Healthcheck != nil || other.Build != "") // the image's own
			if other == nil || how.Condition == "service_healthy" && !healthy {
				t.Errorf("%s waits for %s to be %s, which it never is", name, on, how.Condition)
			}
		}
		for network := range s.Networks {
			if _, known := c.Networks[network]; !known && network != "default" {
				t.Errorf("%s: there is no network %s", name, network)
			}
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret].File == "" {
				t.Errorf("%s: there is no secret %s", name, secret)
			}
		}
		checkVolumes(t, c, name, s)
	}
	checkVariables(t)
}

func checkVolumes(t *testing.T, c *compose, name string, s *service) {
	t.Helper()
	for _, v := range s.Volumes {
		from, _, _ := strings.Cut(v, ":")
		if path, ok := strings.CutPrefix(from, "./"); ok {
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if _, known := c.Volumes[from]; !known {
			t.Errorf("%s: there is no volume %s", name, from)
		}
	}
}

// checkVariables expects that the example names what may be set, and no more.
func checkVariables(t *testing.T) {
	t.Helper()
	used, shown := map[string]bool{}, map[string]bool{}
	for _, v := range variable.FindAllStringSubmatch(read(t, "docker-compose.yml"), -1) {
		used[v[1]] = true
	}
	for _, v := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=`).FindAllStringSubmatch(read(t, ".env.example"), -1) {
		shown[v[1]] = true
	}
	if !maps.Equal(used, shown) {
		t.Errorf("docker-compose.yml has %v, and .env.example %v", slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(shown)))
	}
}

// What is published is bound to this machine, unless somebody says otherwise,
// and nobody but the nodes and the balancer has a foot in both networks.
func TestComposeIsClosed(t *testing.T) {
	c := loadCompose(t, dotenv(read(t, ".env.example")))
	for name, s := range c.Services {
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s is published to everybody: %s", name, p)
			}
		}
		_, inside := s.Networks["inside"]
		_, outside := s.Networks["default"]
		if inside && (outside || len(s.Ports) > 0) && s.Build == "" {
			t.Errorf("%s can be reached from outside", name)
		}
	}
	if !c.Networks["inside"].Internal {
		t.Error("the network inside has a way out")
	}
	for _, name := range c.of("parley") {
		s := c.Services[name]
		if !s.ReadOnly || fmt.Sprint(s.CapDrop) != "[ALL]" || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may do more than it needs", name)
		}
	}
	for _, secret := range []string{"sk-", "password"} {
		if i := strings.Index(read(t, "docker-compose.yml"), "="+secret); i >= 0 {
			t.Error("a secret stands in docker-compose.yml")
		}
	}
}

// The image is built from what .dockerignore lets through, and that is no key
// and no data.
func TestTheImageSeesNoSecrets(t *testing.T) {
	ignored := ignoring(read(t, ".dockerignore"))
	for _, path := range []string{".env", ".parley/master.key", "data/master.key", "data/log/log.db", ".git/config", "bin/parley", "docs/api.md", "house_test.go", "events/testdata/golden/x"} {
		if !ignored(path) {
			t.Errorf("the image is built with %s", path)
		}
	}
	for _, path := range []string{"go.mod", "go.sum", "node.go", "cmd/parley/main.go", "http/openapi/openapi.json", "engine/rivescript/demo.rive", "whatsapp/simulator/page/chat.html"} {
		if ignored(path) {
			t.Errorf("the image is built without %s", path)
		}
	}
	dockerfile := read(t, "Dockerfile")
	modules := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "go.mod"))[1]
	for _, want := range []string{"FROM golang:" + modules + ".", "FROM scratch", "CGO_ENABLED=0", "USER 65532:65532", "HEALTHCHECK", `CMD ["/parley", "health"]`, "ca-certificates.crt"} {
		if !strings.Contains(dockerfile, want) {
			t.Errorf("the Dockerfile has no %s", want)
		}
	}
}

// ignoring reads .dockerignore: the last line that matches a path, or what it
// is in, decides.
func ignoring(text string) func(path string) bool {
	type line struct {
		pattern *regexp.Regexp
		ignore  bool
	}
	var lines []line
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		pattern, again := strings.CutPrefix(l, "!")
		p := strings.NewReplacer(".", `\.`, "**/", `(.*/)?`, "*", `[^/]*`).Replace(pattern)
		lines = append(lines, line{regexp.MustCompile("^" + p + "(/.*)?$"), !again})
	}
	return func(path string) (ignored bool) {
		for _, l := range lines {
			if l.pattern.MatchString(path) {
				ignored = l.ignore
			}
		}
		return ignored
	}
}

// documents splits a file of several YAML documents.
func documents(text string) (all []string) {
	for _, d := range bytes.Split([]byte("\n"+text), []byte("\n---\n")) {
		if len(bytes.TrimSpace(d)) > 0 {
			all = append(all, string(d))
		}
	}
	return all
}
