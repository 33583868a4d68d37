package parley_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"
	"testing"

	"parley"
	"parley/engine/script"
	"parley/media"
	"parley/media/s3test"
	"parley/whatsapp/simulator"
)

// beside starts another node on the same log and in the same bucket, with a
// data directory of its own, and gives its address.
func (r *remote) beside() string {
	r.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	config := r.config
	config.Data, config.PublicURL = r.t.TempDir(), address
	node, err := parley.Start(r.t.Context(), config, parley.Parts{Graph: r.meta.Transport(), Engine: script.New()}, slog.New(slog.DiscardHandler), listener)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := node.Stop(context.Background()); err != nil {
			r.t.Error(err)
		}
	})
	return address
}

// ask calls a node's API as acme.
func (r *remote) ask(method, address, path, body string, header ...string) (status int, text string) {
	r.t.Helper()
	request, err := http.NewRequest(method, address+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+apiSecret)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	all, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(all)
}

// first gives the ID of the first thing in a list, "" if it is empty.
func (r *remote) first(address, path string) string {
	r.t.Helper()
	status, text := r.ask(http.MethodGet, address, path, "")
	var list struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(text), &list); err != nil || status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", path, status, text)
	}
	if len(list.Items) == 0 {
		return ""
	}
	return list.Items[0].ID
}

// A picture that comes in at one node is in the bucket, and everybody's.
func TestNodesShareABucket(t *testing.T) { // P1 P9 F005 F010
	service := s3test.Start(t)
	r := openRemote(t, "--media", service.Address("bot/"))
	integration := r.connect()
	if status, text := r.ask(http.MethodPost, r.address, integrations+"/"+integration+"/update", `{"attachments":true}`, "Content-Type", "application/json"); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	person := r.meta.Person(phoneNumber, "15551234567")
	person.SendFile(simulator.File{Kind: "image", Bytes: png, MIME: "image/png"})
	r.until("an answer", func() bool { return r.answers() == 1 })
	keys := service.Keys(t)
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "bot/sha256/") || !bytes.Equal(service.Read(t, keys[0]), png) {
		t.Errorf("the bucket holds %v", keys)
	}
	other := r.beside()
	conversation := "/conversation/" + r.first(other, "/conversation/list")
	attachment := conversation + "/attachment/" + r.first(other, conversation+"/attachment/list")
	if status, text := r.ask(http.MethodGet, other, attachment+"/download", ""); status != http.StatusOK || text != string(png) {
		t.Errorf("the other node gives %d %q", status, text)
	}
	if status, text := r.ask(http.MethodGet, other, attachment+"/download", "", "Range", "bytes=4-7"); status != http.StatusPartialContent || text != string(png[4:8]) {
		t.Errorf("a part: %d %q", status, text)
	}

	service.Break(s3test.Refuse(403, "AccessDenied"))
	file := r.make("/file/create", `{}`)
	if status, text := r.ask(http.MethodGet, other, attachment+"/download", ""); status != http.StatusServiceUnavailable {
		t.Errorf("a download without the bucket: %d %s", status, text)
	}
	if status, text := r.ask(http.MethodPost, r.address, "/file/"+file+"/upload", "hello", "Content-Type", "text/plain"); status != http.StatusServiceUnavailable {
		t.Errorf("an upload without the bucket: %d %s", status, text)
	}
	person.SendFile(simulator.File{Kind: "image", Bytes: append(png, 5), MIME: "image/png"})
	person.Write("Hello")
	r.until("every webhook is taken", func() bool { return len(r.meta.Webhooks()) >= 3 && turnedAway(r.meta) == 0 })
	if r.ready() != http.StatusOK {
		t.Error("the node is not ready without the bucket")
	}
	service.Break(nil)
	if status, text := r.ask(http.MethodPost, r.address, "/file/"+file+"/upload", "hello", "Content-Type", "text/plain"); status != http.StatusOK {
		t.Errorf("an upload afterwards: %d %s", status, text)
	}
	r.until("what was owed meanwhile", func() bool {
		contents := map[string]bool{} // both nodes may put one at once: it has two editions then
		for _, key := range service.Keys(t) {
			contents[path.Dir(key)] = true
		}
		return len(contents) == 3
	})
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, secret := range []string{s3test.Secret, s3test.AccessKey} {
		if strings.Contains(r.logs.String(), secret) {
			t.Errorf("the logs hold %s", secret)
		}
	}
}

// turnedAway counts the webhooks that were answered by anything but 200.
func turnedAway(meta *simulator.Simulator) (n int) {
	for _, w := range meta.Webhooks() {
		for _, status := range w.Answers {
			if status != http.StatusOK {
				n++
			}
		}
	}
	return n
}

func TestStartingWithABucketThatDoesNotWork(t *testing.T) { // P9
	service := s3test.Start(t)
	config, err := parley.LoadConfig("serve", []string{"--data", t.TempDir(), "--media", service.Address(""), "--tokens", "acme:" + apiSecret}, func(string) string { return "" }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	start := func() (*parley.Node, error) {
		return parley.Start(t.Context(), config, parley.Parts{Engine: script.New()}, slog.New(slog.DiscardHandler), nil)
	}
	for code, status := range map[string]int{"NoSuchBucket": http.StatusNotFound, "AccessDenied": http.StatusForbidden} {
		service.Break(s3test.Refuse(status, code))
		if node, err := start(); err == nil || !strings.Contains(err.Error(), "PARLEY_MEDIA") || errors.Is(err, media.ErrUnavailable) {
			t.Errorf("%s: %v %v, expected an error that names the setting", code, node, err)
		}
	}
	service.Break(s3test.Refuse(http.StatusInternalServerError, "InternalError"))
	node, err := start()
	if err != nil {
		t.Fatalf("a bucket that is away for a while: %v", err)
	}
	if err := node.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
