//go:build system

package cluster

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// What a bot says in a conversation comes word by word through every node, also
// through those that the conversation does not belong to.
func TestWordsComeThroughEveryNode(t *testing.T) {
	w := newWorld(t)
	for range 10 {
		conversation := w.create("/conversation", object{"botId": w.bot})
		for _, n := range w.nodes {
			r, err := http.NewRequest(http.MethodPost, "http://"+n.address+"/api/v1/conversation/"+conversation+"/complete", strings.NewReader(`{"text":"Hello"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{"Authorization": {"Bearer " + w.secret}, "Content-Type": {"application/json"}, "Accept": {"application/jsonl"}}
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := io.ReadAll(response.Body)
			_ = response.Body.Close() // it is read
			if err != nil || !strings.HasPrefix(string(lines), `{"type":"token","data":{"token":"You said Hello"}}`) || !strings.Contains(string(lines), `{"type":"result"`) {
				t.Errorf("%s: %v, %s", n.Name(), err, lines)
			}
		}
	}
}
