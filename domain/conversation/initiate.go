package conversation

import "parley/events"

// keySeenAs is what an idempotency key is remembered by, beside the wamids.
func keySeenAs(key string) string { return "idempotency key " + key }

// initiate writes to somebody first. It begins a session, which the person's
// answer goes on with. Spec: "WhatsApp integration", initiate.
func (d *draft) initiate(body Initiate) {
	if body.Key != "" && d.state.seen(keySeenAs(body.Key)) {
		return
	}
	session := body.Policy.session(body.Session, d.at)
	session.InitiatedTo = body.To
	d.startSession(session)
	d.record(events.Initiated{
		Session: body.Session, Key: body.Key, To: body.To, Said: body.Said, Parts: body.Parts, At: d.at,
	})
}

// resume lets the part that waits for an operator be tried at once. Those
// behind it follow.
func (d *draft) resume() {
	if len(d.state.Outbox) > 0 && d.state.Outbox[0].Held {
		d.record(events.PartResumed{Part: d.state.Outbox[0].ID, At: d.at})
	}
}
