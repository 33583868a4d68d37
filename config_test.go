package parley_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"parley"
)

func load(t *testing.T, env map[string]string, args ...string) (parley.Config, error) {
	t.Helper()
	return parley.LoadConfig("serve", args, func(name string) string { return env[name] }, io.Discard)
}

func TestSettings(t *testing.T) {
	t.Run("defaults stand alone", func(t *testing.T) {
		c, err := load(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Listen != "127.0.0.1:8080" || c.PublicURL != "http://127.0.0.1:8080" || c.GraphVersion != "v25.0" ||
			c.MasterKeyFile != "data/master.key" || c.Settle != 30*time.Second {
			t.Errorf("%+v", c)
		}
	})
	t.Run("a flag counts more than the environment", func(t *testing.T) {
		c, err := load(t, map[string]string{"PARLEY_LISTEN": ":1", "PARLEY_MODEL": "m"}, "--listen", ":2")
		if err != nil || c.Listen != ":2" || c.Model != "m" {
			t.Errorf("%+v %v", c, err)
		}
	})
	t.Run("TLS", func(t *testing.T) { // F077
		files := map[string]string{"PARLEY_TLS_CERT": "c.pem", "PARLEY_TLS_KEY": "k.pem"}
		for _, c := range []struct {
			env       map[string]string
			args      []string
			publicURL string
		}{
			{files, []string{"--listen", "127.0.0.1:8443"}, "https://127.0.0.1:8443"},
			{files, []string{"--listen", ":8443"}, "https://127.0.0.1:8443"},
			{nil, []string{"--listen", "0.0.0.0:80"}, "http://127.0.0.1:80"},
			{nil, []string{"--listen", "[::]:80"}, "http://127.0.0.1:80"},
			{nil, []string{"--listen", "localhost:80"}, "http://localhost:80"},
			{files, []string{"--public-url", "https://example.org/"}, "https://example.org"},
			{nil, []string{"--tls-hosts", "Bot.example.org, www.example.org,", "--listen", ":443"}, "https://bot.example.org"},
		} {
			if got, err := load(t, c.env, c.args...); err != nil || got.PublicURL != c.publicURL {
				t.Errorf("%v: %s %v", c.args, got.PublicURL, err)
			}
		}
		for _, args := range [][]string{
			{"--tls-cert", "c"}, {"--tls-key", "k"}, {"--tls-cert", "c", "--tls-key", "k", "--tls-hosts", "a.org"}, {"--tls-plain", ":80"},
		} {
			if _, err := load(t, nil, args...); err == nil || !strings.Contains(err.Error(), "PARLEY_TLS_") {
				t.Errorf("%v: %v", args, err)
			}
		}
	})
	t.Run("the log", func(t *testing.T) {
		elsewhere := "esdb://u:tops3cret@host"
		c, err := load(t, map[string]string{"PARLEY_EVENTS": elsewhere})
		if err != nil || c.Events.Reveal() != elsewhere || strings.Contains(fmt.Sprintf("%+v", c), "tops3cret") {
			t.Errorf("%+v %v", c, err) // P9
		}
		for _, args := range [][]string{
			{"--events", elsewhere, "--log-listen", "127.0.0.1:2113"},
			{"--log-tls-cert", "c"},
			{"--log-tls-key", "k"},
			{"--log-user", "ada:one", "--log-reader", "ada:two"},
		} {
			if _, err := load(t, nil, args...); err == nil || !strings.Contains(err.Error(), "PARLEY_LOG_") {
				t.Errorf("%v: %v", args, err)
			}
		}
	})
	t.Run("many nodes", func(t *testing.T) {
		env := map[string]string{
			"PARLEY_CLUSTER": "etcd://root:tops3cret@e1:2379,e2:2379", "PARLEY_EVENTS": "esdb://host", "PARLEY_MASTER_KEY_FILE": "/k",
			"PARLEY_MEDIA": "file:///srv/media", "PARLEY_CLUSTER_LISTEN": "10.0.0.1:7000",
		}
		c, err := load(t, env)
		if err != nil || fmt.Sprint(c.Cluster.Endpoints) != "[e1:2379 e2:2379]" || c.Cluster.User != "root" || c.Cluster.Password.Reveal() != "tops3cret" ||
			c.Cluster.Name != "parley" || strings.Contains(fmt.Sprintf("%+v", c), "tops3cret") {
			t.Errorf("%+v %v", c.Cluster, err) // P9
		}
		c, err = load(t, env, "--cluster", "etcds://e1:2379?tlsCAFile=ca.pem&userCertFile=c.pem&USERKEYFILE=k.pem")
		if want := (parley.EtcdTLS{On: true, CA: "ca.pem", Cert: "c.pem", Key: "k.pem"}); err != nil || c.Cluster.TLS != want {
			t.Errorf("%+v %v", c.Cluster.TLS, err)
		}
		for _, missing := range []string{"PARLEY_EVENTS", "PARLEY_MASTER_KEY_FILE", "PARLEY_MEDIA", "PARLEY_CLUSTER_LISTEN"} {
			without := maps.Clone(env)
			delete(without, missing)
			if _, err := load(t, without); err == nil || !strings.Contains(err.Error(), missing) {
				t.Errorf("without %s: %v", missing, err)
			}
		}
		for _, public := range []string{"0.0.0.0:7000", ":7000", "[::]:7000", "192.0.2.1:7000"} {
			if _, err := load(t, env, "--cluster-listen", public); err == nil || !strings.Contains(err.Error(), "PARLEY_CLUSTER_TLS_CERT") {
				t.Errorf("%s without TLS: %v", public, err)
			}
			if _, err := load(t, env, "--cluster-listen", public, "--cluster-tls-cert", "c", "--cluster-tls-key", "k", "--cluster-tls-ca", "a"); err != nil {
				t.Errorf("%s with TLS: %v", public, err)
			}
		}
		if _, err := load(t, env, "--cluster-tls-cert", "c", "--cluster-tls-key", "k"); err == nil || !strings.Contains(err.Error(), "PARLEY_CLUSTER_TLS_CA") {
			t.Errorf("half of TLS: %v", err)
		}
		if _, err := load(t, env, "--cluster-tls-name", "node"); err == nil || !strings.Contains(err.Error(), "PARLEY_CLUSTER_TLS_NAME") {
			t.Errorf("a name and no certificate: %v", err)
		}
	})
	t.Run("tokens", func(t *testing.T) {
		c, err := load(t, map[string]string{"PARLEY_TOKENS": "acme:one, globex:two:with:colons"})
		if err != nil || c.Tokens["acme"].Reveal() != "one" || c.Tokens["globex"].Reveal() != "two:with:colons" {
			t.Errorf("%+v %v", c, err)
		}
	})
}

func TestBadSettingsAreNamed(t *testing.T) {
	for _, c := range []struct{ env, value, says string }{
		{"PARLEY_TOKENS", "tops3cret", "account:secret"},
		{"PARLEY_TOKENS", "an account:tops3cret", "account:secret"},
		{"PARLEY_PUBLIC_URL", "example.com", "http:// or https://"},
		{"PARLEY_GRAPH_URL", "ftp://x", "http:// or https://"},
		{"OPENAI_BASE_URL", "localhost:11434", "http:// or https://"},
		{"PARLEY_TURNS", "0", "1 or more"},
		{"PARLEY_TURN_TIME", "soon", "a duration"},
		{"PARLEY_SETTLE", "-1s", "a duration"},
		{"PARLEY_TLS_HOSTS", "example.org,localhost", `"localhost" must be the name of a host`},
		{"PARLEY_TLS_HOSTS", "*.example.org", "the name of a host"},
		{"PARLEY_TLS_HOSTS", "https://example.org", "the name of a host"},
		{"PARLEY_TLS_HOSTS", "example.org:443", "the name of a host"},
		{"PARLEY_TLS_HOSTS", "192.0.2.1", "the name of a host"},
		{"PARLEY_TLS_CA", "letsencrypt", "http:// or https://"},
		{"PARLEY_RATE", "-1", "0 or more"},
		{"PARLEY_RATE", "NaN", "0 or more"},
		{"PARLEY_EVENTS", "postgres://u:tops3cret@host", "must be local or an EventStoreDB"},
		{"PARLEY_EVENTS", "esdb://u:tops3cret%@host", "not one of EventStoreDB"},
		{"PARLEY_EVENTS", "esdb://u:tops3cret@host?tsl=false", `"tsl"`},
		{"PARLEY_LOG_USER", "tops3cret", "user:password"},
		{"PARLEY_LOG_READER", ":tops3cret", "user:password"},
		{"PARLEY_CLUSTER", "etcd://root:tops3cret@host", "host:port"},
		{"PARLEY_CLUSTER", "etcd://root:tops3cret@host:1?tlsCAFile=ca.pem", "etcds://"},
		{"PARLEY_CLUSTER", "etcds://root:tops3cret@host:1?tlsCA=ca.pem", `"tlsCA" is none of`},
		{"PARLEY_CLUSTER", "etcds://root:tops3cret@host:1?tlsCAFile=", "one file"},
		{"PARLEY_CLUSTER", "etcds://root:tops3cret@host:1?userCertFile=c.pem", "belong together"},
		{"PARLEY_CLUSTER", "etcds://root:tops3cret@host:1?tls%=1", "question mark"},
		{"PARLEY_CLUSTER", "consul://root:tops3cret@host:1", "etcd://"},
		{"PARLEY_CLUSTER", "etcd://root:tops3cret%@host:1", "etcd://"},
		{"PARLEY_CLUSTER_NAME", "a/b", "without a slash"},
		{"PARLEY_LOG_LEVEL", "loud", "debug, info, warn or error"},
		{"PARLEY_LOG_FORMAT", "xml", "text or json"},
	} {
		t.Run(c.env+" "+c.value, func(t *testing.T) {
			_, err := load(t, map[string]string{c.env: c.value})
			if err == nil || !strings.HasPrefix(err.Error(), c.env+": ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "tops3cret") {
				t.Error("the message repeats a secret") // P9
			}
		})
	}
	if _, err := load(t, nil, "--no-such-thing"); err == nil {
		t.Error("an unknown flag is taken")
	}
	if _, err := load(t, nil, "now"); err == nil || !strings.Contains(err.Error(), `"now"`) {
		t.Errorf("an argument: %v", err)
	}
}

func TestHelpListsEverySetting(t *testing.T) {
	var help bytes.Buffer
	_, err := parley.LoadConfig("serve", []string{"--help"}, func(string) string { return "" }, &help)
	if !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(help.String()) {
		_, env, ok := strings.Cut(line, ", ")
		if !ok || !strings.HasPrefix(line, "  --") {
			continue
		}
		env, _, _ = strings.Cut(strings.TrimSpace(env), " ")
		if !strings.Contains(string(readme), "`"+env+"`") {
			t.Errorf("the README does not name %s", env)
		}
	}
}
