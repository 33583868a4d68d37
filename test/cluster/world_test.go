//go:build system

package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/test/process"
	"parley/whatsapp/simulator"
)

// What every world has.
const (
	apiSecret   = "sk-cluster-secret-of-acme"
	accessToken = "EAAG-cluster-access-token"
	appSecret   = "cluster-app-secret"
	phoneNumber = "106540352242922"
)

// world is three nodes with everything around them.
type world struct {
	t     *testing.T
	dir   string
	nodes []*node
	log   *process.Process
	etcd  *process.Process
	front *balancer
	meta  *simulator.Simulator
	graph *httptest.Server

	// network is where links can be cut; nil is the loopback, where none can.
	network *network

	etcdAt      string
	cluster     string // where etcd is, as PARLEY_CLUSTER
	events      string // where the log is, as PARLEY_EVENTS
	secret      string // of the API
	bot         string
	integration string
	position    string // of the last write through the API
}

// node is one parley.
type node struct {
	*process.Process
	address, data string
	program       string // a link to the parley that it runs
	inside        string // for the other nodes
}

// newWorld starts everything, and furnishes it with a bot and an integration
// that Meta knows. settings are further ones of every node.
func newWorld(t *testing.T, settings ...string) *world {
	t.Helper()
	return newWorldIn(t, nil, settings...)
}

// newWorldIn does the same in a network; nil is the loopback.
func newWorldIn(t *testing.T, network *network, settings ...string) *world {
	t.Helper()
	w := newNodes(t, network, "acme:"+apiSecret, settings...)
	w.furnish()
	return w
}

// newNodes starts everything. tokens are as PARLEY_TOKENS.
func newNodes(t *testing.T, network *network, tokens string, settings ...string) *world {
	t.Helper()
	program, err := exec.LookPath("etcd")
	if err != nil {
		t.Skip("skipped: there is no etcd on this machine (Debian: etcd-server)")
	}
	w := &world{t: t, secret: apiSecret, dir: t.TempDir(), network: network}
	w.startMeta()
	w.startEtcd(program)
	w.startLog()
	w.reach(w.etcdAt)
	w.startNodes(tokens, settings...)
	w.ready(w.nodes...)
	return w
}

// host is the address of a place.
func (w *world) host(place int) string {
	switch {
	case w.network != nil:
		return w.network.at(place)
	case place >= firstNode:
		return fmt.Sprintf("127.0.0.%d", 2+place-firstNode)
	}
	return "127.0.0.1"
}

// address is one that a program can listen at where it is. In a network nobody
// else is there.
func (w *world) address(place, port int) string {
	w.t.Helper()
	if w.network != nil {
		return net.JoinHostPort(w.host(place), fmt.Sprint(port))
	}
	return process.FreeAddress(w.t, w.host(place))
}

// launch starts a program at a place.
func (w *world) launch(name string, place int, env []string, args ...string) *process.Process {
	w.t.Helper()
	if w.network != nil {
		args = w.network.inside(place, args...)
	}
	return launch(w.t, name, env, args...)
}

// memory is a directory whose writes no disk holds up, where there is one: what
// others do with this machine's disk is not what is tested.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "parley-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// startMeta starts the simulator, which is hostile.
func (w *world) startMeta() {
	w.meta = simulator.New(simulator.Config{Faults: &simulator.Faults{Repeat: 0.1, Reorder: 0.1, Delay: 0.1, Batch: 0.1, Early: 0.1, MaxDelay: 300 * time.Millisecond}})
	w.t.Cleanup(w.meta.Close)
	w.graph = serve(w.t, w.host(atFront), w.meta)
	w.t.Cleanup(w.meta.Close) // first, so that no call hangs
}

// serve serves HTTP at an address of its own until the test ends.
func serve(t *testing.T, host string, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Listener.Close() // the one of the loopback
	s.Listener = l
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func (w *world) startEtcd(program string) {
	w.t.Helper()
	w.etcdAt = w.address(atEtcd, 2379)
	peers, clients := "http://"+w.address(atEtcd, 2380), "http://"+w.etcdAt
	w.cluster = "etcd://" + w.etcdAt
	var proof []string
	if w.network != nil { // beyond the loopback it wants everybody to prove themselves
		files := process.Authority(w.t, w.host(atEtcd))
		clients = "https://" + w.etcdAt
		proof = []string{"--cert-file", files.Cert, "--key-file", files.Key, "--client-cert-auth", "--trusted-ca-file", files.CA}
		w.cluster = "etcds://" + w.etcdAt + "?tlsCAFile=" + files.CA + "&userCertFile=" + files.Cert + "&userKeyFile=" + files.Key
	}
	w.etcd = w.launch("etcd", atEtcd, nil, append([]string{
		program, "--data-dir", filepath.Join(memory(w.t), "etcd"), "--log-level", "error", "--name", "one",
		"--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "one=" + peers,
	}, proof...)...)
}

// startLog starts the log. Beyond the loopback it wants TLS and a password.
func (w *world) startLog() {
	w.t.Helper()
	address := w.address(atLog, 2113)
	args := []string{binary, "log", "serve", "--data", filepath.Join(w.dir, "log"), "--log-listen", address}
	w.events = "esdb://" + address + "?tls=false"
	if w.network != nil {
		files := process.Authority(w.t, w.host(atLog))
		args = append(args, "--log-user", "parley:log-secret", "--log-tls-cert", files.Cert, "--log-tls-key", files.Key)
		w.events = "esdb://parley:log-secret@" + address + "?tlsCAFile=" + files.CA
	}
	w.log = w.launch("log", atLog, nil, args...)
	w.reach(address)
}

// startNodes starts the nodes and the balancer before them.
func (w *world) startNodes(tokens string, settings ...string) {
	w.t.Helper()
	key := filepath.Join(w.dir, "master.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("a1", 32)+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	var addresses []string
	for i := range 3 {
		place := firstNode + i
		n := &node{data: filepath.Join(w.dir, fmt.Sprint("node", i+1)), address: w.address(place, 8080), inside: w.address(place, 7000)}
		n.program = n.data + ".parley"
		if err := os.Symlink(binary, n.program); err != nil {
			w.t.Fatal(err)
		}
		addresses, w.nodes = append(addresses, n.address), append(w.nodes, n)
	}
	w.front = newBalancer(w.t, w.host(atFront), addresses...)
	model := serve(w.t, w.host(atFront), http.HandlerFunc(repeat)).URL + "/v1"
	for i, n := range w.nodes {
		args := append([]string{
			n.program, "serve", "--data", n.data, "--listen", n.address, "--public-url", "http://" + w.front.address(),
			"--graph-url", w.graph.URL, "--openai-base-url", model, "--model", "repeat",
			"--events", w.events, "--master-key-file", key, "--media", "file://" + filepath.Join(w.dir, "media"),
			"--cluster", w.cluster, "--cluster-listen", n.inside,
			"--gather", "0", "--settle", "12s",
		}, settings...)
		n.Process = w.launch(fmt.Sprint("node", i+1), firstNode+i, []string{"PARLEY_TOKENS=" + tokens, "OPENAI_API_KEY=sk-none"}, args...)
	}
}

// reach waits until somebody listens at an address.
func (w *world) reach(address string) {
	w.t.Helper()
	process.Eventually(w.t, 20*time.Second, "somebody listens at "+address, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// ready waits until nodes can do their work.
func (w *world) ready(nodes ...*node) {
	w.t.Helper()
	for _, n := range nodes {
		process.Eventually(w.t, 30*time.Second, n.Name()+" is ready", func() bool { return check(w.t.Context(), n.address, "/readyz") })
	}
}

// client is everybody's who talks to the nodes through the balancer. Like
// Meta's, it keeps its connections.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}

func (w *world) furnish() {
	w.t.Helper()
	process.Eventually(w.t, 10*time.Second, "the balancer sees the nodes", func() bool { return check(w.t.Context(), w.front.address(), "/healthz") })
	w.bot = w.create("/bot", object{"name": "Ada", "model": "repeat", "backstory": "Repeat."})
	w.integration = w.create("/integration/whatsapp", object{
		"name": "Shop", "botId": w.bot, "phoneNumberId": phoneNumber, "accessToken": accessToken, "appSecret": appSecret,
	})
	w.meta.Connect(simulator.Number{
		ID: phoneNumber, WABAID: "102290129340398", Display: "15550783881", Token: accessToken, AppSecret: appSecret, Callback: w.callback(),
	})
}

func (w *world) callback() string {
	return "http://" + w.front.address() + "/api/v1/integration/whatsapp/" + w.integration + "/callback"
}

// create makes a thing through the balancer and gives its ID.
func (w *world) create(path string, body object) string {
	w.t.Helper()
	made, err := w.ask(w.front.address(), http.MethodPost, path+"/create", body)
	id, _ := made["id"].(string)
	if err != nil || id == "" {
		w.t.Fatalf("create %s: %v %v", path, made, err)
	}
	return id
}

// ask asks a node of the API, which has seen what was written before.
func (w *world) ask(address, method, path string, body object) (object, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(method, "http://"+address+"/api/v1"+path, bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+w.secret)
	r.Header.Set("Content-Type", "application/json")
	if w.position != "" {
		r.Header.Set("X-Parley-Position", w.position)
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() // read to the end below
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%d %s", response.StatusCode, text)
	}
	if p := response.Header.Get("X-Parley-Position"); p != "" {
		w.position = p
	}
	answer := object{}
	return answer, json.Unmarshal(text, &answer)
}
