//go:build system

package deploy

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/test/process"
)

// topology is what docker-compose.yml names, as processes on this machine. Each
// service has a loopback address of its own, in place of its name, so that
// ports and settings are those of the file. EventStoreDB is played by parley log
// serve: one process, for all members.
type topology struct {
	t       *testing.T
	dir     string
	compose *compose
	names   map[string]string // addresses by name
	running map[string]*process.Process
	secret  string // of the API
}

// programs are what plays the images. The balancer and Prometheus are skipped
// where they are not installed.
var programs = map[string]struct{ name, from string }{
	"etcd": {"etcd", "etcd-server"}, "haproxy": {"haproxy", "haproxy"}, "prometheus": {"prometheus", "prometheus"},
}

// newTopology makes keys as make up does, and starts nothing. env is what else
// stands in .env.
func newTopology(t *testing.T, env map[string]string) *topology {
	t.Helper()
	for _, p := range []string{"etcd", "haproxy"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("skipped: there is no %s on this machine (Debian: %s)", p, programs[p].from)
		}
	}
	top := &topology{t: t, dir: checkoutWithKeys(t), names: map[string]string{}, running: map[string]*process.Process{}}
	all := dotenv(contents(t, filepath.Join(top.dir, ".env")))
	maps.Copy(all, env)
	top.compose = loadCompose(t, all)
	top.secret = strings.TrimPrefix(all["PARLEY_TOKENS"], "default:")
	network := fmt.Sprintf("127.%d.%d.", 10+rand.IntN(200), 1+rand.IntN(250))
	for i, name := range slices.Sorted(maps.Keys(top.compose.Services)) {
		s := top.compose.Services[name]
		address := network + fmt.Sprint(10+i)
		if strings.Contains(s.Image, "eventstore") {
			address = network + "2"
		}
		top.names[name] = address
		for _, aliases := range s.Networks {
			for _, alias := range aliases {
				top.names[alias] = address
			}
		}
	}
	return top
}

// start starts services.
func (top *topology) start(services ...string) {
	top.t.Helper()
	for _, name := range services {
		top.running[name] = process.Launch(top.t, process.Config{
			Name: name, Args: top.command(name), Env: top.environment(name),
			Again: top.compose.Services[name].Restart == "unless-stopped", Show: *logs,
		})
	}
}

// eventstore starts the log.
func (top *topology) eventstore() {
	top.t.Helper()
	address := top.names["eventstore1"] + ":2113"
	top.running["log"] = process.Launch(top.t, process.Config{
		Name: "log", Args: []string{binary, "log", "serve", "--data", filepath.Join(top.dir, "log"), "--log-listen", address}, Again: true, Show: *logs,
	})
}

// command is what a container of a service runs.
func (top *topology) command(name string) []string {
	top.t.Helper()
	s := top.compose.Services[name]
	switch {
	case s.Build != "": // ENTRYPOINT and CMD of the Dockerfile
		return []string{binary, "serve"}
	case strings.Contains(s.Image, "haproxy"):
		return []string{top.program("haproxy"), "-W", "-db", "-f", top.file(name, "/usr/local/etc/haproxy/haproxy.cfg")}
	case strings.Contains(s.Image, "prometheus"):
		return []string{
			top.program("prometheus"), "--config.file=" + top.file(name, "/etc/prometheus/prometheus.yml"),
			"--storage.tsdb.path=" + filepath.Join(top.dir, "prometheus"), "--web.listen-address=" + top.names[name] + ":9090",
		}
	}
	args := []string{top.program(filepath.Base(s.Command[0]))}
	for _, arg := range s.Command[1:] {
		args = append(args, top.here(name, arg))
	}
	return append(args, "--log-level=error")
}

func (top *topology) program(name string) string {
	top.t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		top.t.Fatalf("there is no %s on this machine (Debian: %s)", name, programs[name].from)
	}
	return path
}

// environment is a container's, with the settings of the file as they are.
func (top *topology) environment(name string) (env []string) {
	for setting, value := range top.compose.Services[name].Environment {
		env = append(env, setting+"="+top.here(name, value))
	}
	return env
}

var (
	reached = regexp.MustCompile(`\b([a-z][a-z0-9.]*):(\d+)`)
	path    = regexp.MustCompile(`(^|=|//)(/[a-z/.-]+)$`)
)

// here gives a text of a container's with the addresses and paths that play its
// names and volumes.
func (top *topology) here(service, text string) string {
	text = reached.ReplaceAllStringFunc(text, func(s string) string {
		host, port, _ := strings.Cut(s, ":")
		if address, ok := top.names[host]; ok {
			return address + ":" + port
		}
		return s
	})
	text = strings.ReplaceAll(text, "0.0.0.0:", top.names[service]+":")
	return path.ReplaceAllStringFunc(text, func(s string) string {
		parts := path.FindStringSubmatch(s)
		return parts[1] + top.mounted(service, parts[2])
	})
}

// mounted is where a path of a container's is on this machine.
func (top *topology) mounted(service, target string) string {
	s := top.compose.Services[service]
	if secret, ok := strings.CutPrefix(target, "/run/secrets/"); ok && slices.Contains(s.Secrets, secret) {
		return filepath.Join(top.dir, top.compose.Secrets[secret].File)
	}
	for _, v := range s.Volumes {
		from, to, _ := strings.Cut(v, ":")
		to = strings.TrimSuffix(to, ":ro")
		if to != target {
			continue
		}
		if strings.HasPrefix(from, "./") {
			full, err := filepath.Abs(filepath.Join(root, from))
			if err != nil {
				top.t.Fatal(err)
			}
			return full
		}
		volume := filepath.Join(top.dir, "volumes", from)
		if err := os.MkdirAll(volume, 0o700); err != nil {
			top.t.Fatal(err)
		}
		return volume
	}
	return target
}

// file writes a mounted configuration with names replaced, and gives its path.
func (top *topology) file(service, target string) string {
	top.t.Helper()
	text := top.here(service, contents(top.t, top.mounted(service, target)))
	text = strings.ReplaceAll(text, "/etc/prometheus/rules.yml", top.mounted(service, "/etc/prometheus/rules.yml"))
	to := filepath.Join(top.dir, service+"-"+filepath.Base(target))
	if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
		top.t.Fatal(err)
	}
	return to
}

// listens waits until somebody listens at a service's port.
func (top *topology) listens(port string, services ...string) {
	top.t.Helper()
	for _, name := range services {
		process.Eventually(top.t, 30*time.Second, name+" listens", func() bool {
			c, err := net.Dial("tcp", top.names[name]+":"+port)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		})
	}
}

// healthy waits until services say that they are, as their image asks.
func (top *topology) healthy(services ...string) {
	top.t.Helper()
	for _, name := range services {
		process.Eventually(top.t, 60*time.Second, name+" is healthy", func() bool {
			check := exec.Command(binary, "health") // HEALTHCHECK of the Dockerfile
			check.Env = append(os.Environ(), top.environment(name)...)
			return check.Run() == nil
		})
	}
}
