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

	logAt, etcdAt string
	secret        string // of the API
	bot           string
	integration   string
	position      string // of the last write through the API
}

// node is one parley.
type node struct {
	*process.Process
	host, address, data string
	inside              string // for the other nodes
}

// newWorld starts everything, and furnishes it with a bot and an integration
// that Meta knows. settings are further ones of every node.
func newWorld(t *testing.T, settings ...string) *world {
	t.Helper()
	w := newNodes(t, "acme:"+apiSecret, settings...)
	w.furnish()
	return w
}

// newNodes starts everything. tokens are as PARLEY_TOKENS.
func newNodes(t *testing.T, tokens string, settings ...string) *world {
	t.Helper()
	program, err := exec.LookPath("etcd")
	if err != nil {
		t.Skip("skipped: there is no etcd on this machine (Debian: etcd-server)")
	}
	w := &world{t: t, secret: apiSecret, dir: t.TempDir(), logAt: process.FreeAddress(t, "127.0.0.1"), etcdAt: process.FreeAddress(t, "127.0.0.1")}
	w.meta = simulator.New(simulator.Config{Faults: &simulator.Faults{Repeat: 0.1, Reorder: 0.1, Delay: 0.1, Batch: 0.1, Early: 0.1, MaxDelay: 300 * time.Millisecond}})
	t.Cleanup(w.meta.Close)
	w.graph = httptest.NewServer(w.meta)
	t.Cleanup(w.graph.Close)
	t.Cleanup(w.meta.Close) // first, so that no call hangs
	peers := "http://" + process.FreeAddress(t, "127.0.0.1")
	w.etcd = launch(t, "etcd", nil, program, "--data-dir", filepath.Join(w.dir, "etcd"), "--log-level", "error", "--name", "one",
		"--listen-client-urls", "http://"+w.etcdAt, "--advertise-client-urls", "http://"+w.etcdAt,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "one="+peers)
	w.log = launch(t, "log", nil, binary, "log", "serve", "--data", filepath.Join(w.dir, "log"), "--log-listen", w.logAt)
	w.reach(w.logAt)
	w.reach(w.etcdAt)
	key := filepath.Join(w.dir, "master.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("a1", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var addresses []string
	model := newModel(t)
	for i := range 3 {
		host := fmt.Sprintf("127.0.0.%d", 2+i)
		n := &node{host: host, address: process.FreeAddress(t, host), inside: process.FreeAddress(t, host), data: filepath.Join(w.dir, fmt.Sprint("node", i+1))}
		addresses, w.nodes = append(addresses, n.address), append(w.nodes, n)
	}
	w.front = newBalancer(t, addresses...)
	for i, n := range w.nodes {
		args := append([]string{
			binary, "serve", "--data", n.data, "--listen", n.address, "--public-url", "http://" + w.front.address(),
			"--graph-url", w.graph.URL, "--openai-base-url", model, "--model", "repeat",
			"--events", "esdb://" + w.logAt + "?tls=false", "--master-key-file", key, "--media", "file://" + filepath.Join(w.dir, "media"),
			"--cluster", "etcd://" + w.etcdAt, "--cluster-listen", n.inside,
			"--gather", "0", "--settle", "12s",
		}, settings...)
		n.Process = launch(t, fmt.Sprint("node", i+1), []string{"PARLEY_TOKENS=" + tokens, "OPENAI_API_KEY=sk-none"}, args...)
	}
	w.ready(w.nodes...)
	return w
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
