package cluster

import (
	"testing"

	"parley/actors"
	"parley/domain"
)

// A question that came in just before the node left is put to another one.
func TestANodeThatLeavesMeanwhileSaysSo(t *testing.T) {
	n := &Node{kinds: map[string]actors.Kind{"bot": {Name: "bot"}}}
	n.stopped.Store(true)
	answer := n.here(t.Context(), actors.Request{To: domain.Address{Kind: "bot", ID: "a"}, Question: actors.Wake{}})
	r := n.replyOf(answer)
	if _, retry, _ := n.read(r, "another", domain.Address{Kind: "bot", ID: "a"}); !retry || r.Outcome != leaving {
		t.Errorf("answered %+v", r)
	}
}
