//go:build system

package cluster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/media/s3test"
	"parley/test/process"
	"parley/whatsapp/simulator"
)

// People send files while a node is killed and another one stopped. Afterwards
// the bucket has each of them, and every node gives it. P1
func TestNodesShareABucket(t *testing.T) {
	service := s3test.Start(t)
	w := newWorld(t, "--media", service.Address("parley/"))
	if _, err := w.ask(w.front.address(), http.MethodPost, "/integration/whatsapp/"+w.integration+"/update", object{"attachments": true}); err != nil {
		t.Fatal(err)
	}
	const people = 45
	sent := map[string]string{} // hash → content
	for i := range people {
		content := fmt.Sprintf("%%PDF-1.7 of %s %s", person(i), strings.Repeat("x", i*1000))
		hash := sha256.Sum256([]byte(content))
		sent[hex.EncodeToString(hash[:])] = content
		w.meta.Person(phoneNumber, person(i)).SendFile(simulator.File{Kind: "document", Name: "letter.pdf", Bytes: []byte(content)})
		switch i {
		case people / 3:
			w.nodes[1].Kill()
		case people * 2 / 3:
			w.nodes[1].Start()
			w.nodes[2].Terminate()
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.nodes[2].Start()
	w.ready(w.nodes...)
	process.Eventually(t, 60*time.Second, "everybody is answered", func() bool {
		for i := range people {
			if len(w.meta.Accepted(person(i))) == 0 {
				return false
			}
		}
		return true
	})
	w.quiet(t)
	there := map[string]bool{}
	for _, key := range service.Keys(t) {
		if parts := strings.Split(key, "/"); parts[1] == "sha256" {
			there[parts[2]] = true
			if got := string(service.Read(t, key)); got != sent[parts[2]] {
				t.Errorf("%s holds %d bytes that are something else", key, len(got))
			}
		}
	}
	if len(there) != len(sent) {
		t.Errorf("%d contents are in the bucket, expected %d", len(there), len(sent))
	}
	for _, n := range w.nodes {
		if given := w.downloadAll(n.address); given != people {
			t.Errorf("%s gives %d files of %d", n.Name(), given, people)
		}
		n.Terminate()
	}
	w.checkModels(t)
}

// downloadAll downloads all attachments of all conversations from a node, and
// counts those that are whole.
func (w *world) downloadAll(address string) (given int) {
	w.t.Helper()
	for _, conversation := range w.items(address, "/conversation/list?take=100") {
		path := "/conversation/" + conversation["id"].(string) + "/attachment/"
		for _, attachment := range w.items(address, path+"list") {
			content, err := w.download(address, path+attachment["id"].(string)+"/download")
			if err != nil || float64(len(content)) != attachment["size"] || !strings.HasPrefix(content, "%PDF-1.7 of ") {
				w.t.Errorf("%s: %d bytes, %v", path, len(content), err)
				continue
			}
			given++
		}
	}
	return given
}

func (w *world) items(address, path string) (items []object) {
	w.t.Helper()
	listed, err := w.ask(address, http.MethodGet, path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, item := range listed["items"].([]any) {
		items = append(items, item.(object))
	}
	return items
}

func (w *world) download(address, path string) (content string, err error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+address+"/api/v1"+path, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+w.secret)
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	all, err := io.ReadAll(response.Body)
	return string(all), errors.Join(err, response.Body.Close())
}
