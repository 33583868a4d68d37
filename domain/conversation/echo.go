package conversation

import (
	"parley/events"
)

// echo takes in what the business itself wrote, on a phone that shares the
// number. A person has taken over: the bot is silent for a while, and what it
// was about to say is not said. Its own messages come back as echoes too; they
// are known by their wamids.
func (d *draft) echo(e Echo, policy Policy) {
	if d.state.seen(e.WAMID) || d.state.sentIndex(e.WAMID, "") >= 0 {
		return
	}
	session := d.state.Session.ID
	if d.expired() {
		session = d.newSession(e.Session, policy)
	}
	d.record(events.EchoReceived{
		Session: session, Message: e.Message, WAMID: e.WAMID, Kind: e.Kind, Text: e.Text, At: e.At,
		Until: e.At.Add(d.rules.Pause), Notification: d.brought(),
	})
	if d.at < d.state.PausedUntil {
		// Parts that are being given to Meta settle by themselves.
		d.drop("taken_over", "A person answers instead of the bot.", func(p events.OpenPart) bool {
			return !p.Trying && !p.Initiates
		})
	}
}

func (s State) echoReceived(r Rules, f events.EchoReceived) State {
	s = s.remember(r, f.WAMID, f.At)
	s.PausedUntil = max(s.PausedUntil, f.Until)
	return s
}
