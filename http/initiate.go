package http

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"parley/domain/blueprint"
	"parley/domain/conversation"
	"parley/events"
	"parley/whatsapp"
)

// initiation is a request to write to somebody first.
type initiation struct{ to, text, key string }

var idempotencyKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// initiation reads the request. Spec: "WhatsApp integration", initiate.
func (c call) initiation() (in initiation, err error) {
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return in, err
	}
	to, text, key := b.text("to"), b.text("text"), b.text("idempotencyKey")
	if err := b.done(); err != nil {
		return in, err
	}
	in = initiation{to: digits(to.Value), text: strings.TrimSpace(text.Value), key: key.Value}
	switch {
	case len(in.to) < 7 || len(in.to) > 15:
		return in, invalid(`"to" must be a phone number of 7 to 15 digits`)
	case in.text == "" || len(in.text) > maxText:
		return in, invalid(`"text" must not be empty`)
	case key.Set && !idempotencyKey.MatchString(in.key):
		return in, invalid(`"idempotencyKey" must be 1 to 128 letters, digits, "_" or "-"`)
	}
	return in, nil
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// initiate writes to somebody who did not write first. It answers once the
// message is queued.
func (s *Server) initiate(c call) error {
	in, err := c.initiation()
	if err != nil {
		return err
	}
	i, err := s.integrations().named(c)
	if err != nil {
		return err
	}
	if i.Settings.BotID, err = c.speaker(i.Settings); err != nil {
		return err
	}
	switch {
	case i.Settings.AccessToken == "":
		return invalid("WhatsApp integration does not have an access token configured")
	case i.Settings.PhoneNumberID == "":
		return invalid("WhatsApp integration does not have a phone number ID configured")
	}
	body, err := in.command(policyOf(i.Settings, in.to))
	if err != nil {
		return err
	}
	command := c.command(body)
	command.Correlation = body.Said[len(body.Said)-1].ID // what the statuses will belong to
	if err := c.issue(conversationAddress(i.ID, in.to), command); err != nil {
		return err
	}
	return c.answerID(i.ID)
}

// speaker gives the bot that speaks for an integration: its own one, or the
// only one of its blueprint. The session keeps it.
func (c call) speaker(s events.IntegrationSettings) (string, error) {
	const none = "WhatsApp integration does not have a bot configured"
	switch {
	case s.BotID != "":
		return s.BotID, nil
	case s.BlueprintID == "":
		return "", invalid(none)
	}
	bots, first, err := c.server.model.CountBots(c.UserContext(), c.account, s.BlueprintID)
	if err != nil {
		return "", err
	}
	only, err := blueprint.Speaker(bots, first)
	if err != nil {
		return "", invalid(none + ": " + err.Error())
	}
	return only, nil
}

// command gives the words a history and parts for Meta.
func (in initiation) command(policy conversation.Policy) (conversation.Initiate, error) {
	id := events.NewKey()
	result, err := json.Marshal(map[string]string{"to": in.to, "initiatedAt": time.Now().UTC().Format(time.RFC3339)})
	if err != nil {
		return conversation.Initiate{}, err
	}
	body := conversation.Initiate{
		Policy: policy, Session: events.NewKey(), Key: in.key, To: in.to,
		Said: []events.TurnMessage{
			{ID: events.NewKey(), Call: &events.Call{ID: id, Function: "_initiateConversation", Arguments: []byte("{}"), Result: result}},
			{ID: id, Text: in.text},
		},
	}
	for n, o := range whatsapp.Text(in.text) {
		body.Parts = append(body.Parts, events.Part{ID: id + "-" + strconv.Itoa(n), Message: id, Payload: o.Payload()})
	}
	if len(body.Parts) == 0 {
		return body, invalid(`"text" must say something`)
	}
	return body, nil
}
