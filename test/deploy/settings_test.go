package deploy

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley"
)

// others are names that are not the program's own settings: what the manifest
// makes others of, and what the bucket's client reads.
var others = []string{"POD_IP", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}

// accepted gives an environment to the program's own settings, and gives what
// they come to. A name that is none of theirs is a mistake, too.
func accepted(t *testing.T, where string, env map[string]string) parley.Config {
	t.Helper()
	asked := map[string]bool{}
	config, err := parley.LoadConfig("serve", nil, func(name string) string { asked[name] = true; return env[name] }, io.Discard)
	if err != nil {
		t.Errorf("%s: %v", where, err)
	}
	for name := range env {
		if !asked[name] && !slices.Contains(others, name) {
			t.Errorf("%s: there is no setting %s", where, name)
		}
	}
	return config
}

// The compose file as it is with the example of .env: every node starts with
// settings that it accepts, and those fit each other.
func TestSettingsOfCompose(t *testing.T) {
	c := loadCompose(t, dotenv(read(t, ".env.example")))
	nodes := c.of("parley")
	if len(nodes) < 3 {
		t.Errorf("there are only %v", nodes)
	}
	var first map[string]string
	inside := map[string]bool{}
	for _, name := range nodes {
		s := c.Services[name]
		config := accepted(t, name, s.Environment)
		checkMounted(t, name, s, config)
		host, port, _ := strings.Cut(config.Cluster.Listen, ":")
		if !slices.Contains(s.Networks["inside"], host) || port != "7000" || inside[host] {
			t.Errorf("%s: other nodes do not find it at %s", name, config.Cluster.Listen)
		}
		inside[host] = true
		for _, endpoint := range config.Cluster.Endpoints {
			if host, port, _ := strings.Cut(endpoint, ":"); c.Services[host] == nil || port != "2379" || !strings.Contains(c.Services[host].Image, "etcd") {
				t.Errorf("%s: there is no etcd at %s", name, endpoint)
			}
		}
		for _, host := range regexp.MustCompile(`[a-z0-9]+:2113`).FindAllString(config.Events.Reveal(), -1) {
			if s := c.Services[strings.TrimSuffix(host, ":2113")]; s == nil || !strings.Contains(s.Image, "eventstore") {
				t.Errorf("%s: there is no EventStoreDB at %s", name, host)
			}
		}
		same := maps.Clone(s.Environment)
		delete(same, "PARLEY_CLUSTER_LISTEN")
		if first != nil && !maps.Equal(same, first) {
			t.Errorf("%s has other settings than the rest: %v", name, same)
		}
		first = same
	}
}

// checkMounted expects that what a node writes and reads is there, and that it
// has time to stop.
func checkMounted(t *testing.T, name string, s *service, c parley.Config) {
	t.Helper()
	var targets []string
	for _, v := range s.Volumes {
		_, target, _ := strings.Cut(v, ":")
		targets = append(targets, target)
	}
	if !slices.Contains(targets, c.Data) || !slices.Contains(targets, strings.TrimPrefix(c.Media, "file://")) {
		t.Errorf("%s writes to %s and %s, and has %v", name, c.Data, c.Media, targets)
	}
	if key, _ := strings.CutPrefix(c.MasterKeyFile, "/run/secrets/"); !slices.Contains(s.Secrets, key) {
		t.Errorf("%s has no %s", name, c.MasterKeyFile)
	}
	if !strings.HasSuffix(c.Listen, ":8080") || s.StopGracePeriod != "20s" {
		t.Errorf("%s listens on %s and is killed after %s", name, c.Listen, s.StopGracePeriod)
	}
}

// Options are those of EventStoreDB 24.10 and later, where several old names are
// refused. See its documentation, "Networking" and "Clustering".
func TestSettingsOfEventStoreDB(t *testing.T) {
	known := []string{
		"EVENTSTORE_INSECURE", "EVENTSTORE_CLUSTER_SIZE", "EVENTSTORE_DISCOVER_VIA_DNS", "EVENTSTORE_GOSSIP_SEED", "EVENTSTORE_NODE_IP",
		"EVENTSTORE_REPLICATION_IP", "EVENTSTORE_NODE_HOST_ADVERTISE_AS", "EVENTSTORE_REPLICATION_HOST_ADVERTISE_AS", "EVENTSTORE_RUN_PROJECTIONS",
	}
	c := loadCompose(t, dotenv(read(t, ".env.example")))
	members := c.of("eventstore")
	for _, name := range members {
		env := c.Services[name].Environment
		for option := range env {
			if !slices.Contains(known, option) {
				t.Errorf("%s: %s is not known", name, option)
			}
		}
		seeds := strings.Split(strings.ReplaceAll(env["EVENTSTORE_GOSSIP_SEED"], ":2113", ""), ",")
		all := slices.Sorted(slices.Values(append(seeds, env["EVENTSTORE_NODE_HOST_ADVERTISE_AS"])))
		if env["EVENTSTORE_NODE_HOST_ADVERTISE_AS"] != name || env["EVENTSTORE_REPLICATION_HOST_ADVERTISE_AS"] != name || !slices.Equal(all, members) {
			t.Errorf("%s looks for others at %v", name, seeds)
		}
		if env["EVENTSTORE_CLUSTER_SIZE"] != "3" || len(members) != 3 {
			t.Errorf("%s is of %s, and there are %v", name, env["EVENTSTORE_CLUSTER_SIZE"], members)
		}
	}
}

// The unit gives settings that are accepted, in a directory that it has.
func TestSettingsOfTheUnit(t *testing.T) {
	unit, env := read(t, "deploy", "parley.service"), map[string]string{}
	for _, e := range regexp.MustCompile(`(?m)^Environment=(\w+)=(.*)$`).FindAllStringSubmatch(unit, -1) {
		env[e[1]] = e[2]
	}
	config := accepted(t, "parley.service", env)
	state := regexp.MustCompile(`(?m)^StateDirectory=(.*)$`).FindStringSubmatch(unit)
	if config.Data != "/var/lib/"+state[1] {
		t.Errorf("the data is in %s, and the unit has %s", config.Data, state[1])
	}
	for _, want := range []string{"Restart=always", "TimeoutStopSec=20s", "NoNewPrivileges=yes", "ProtectSystem=strict"} {
		if !strings.Contains(unit, "\n"+want+"\n") {
			t.Errorf("the unit has no %s", want)
		}
	}
}
