package http

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/domain"
	"parley/domain/callback"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/events"
	"parley/whatsapp"
)

// Notification is what Meta posted to an integration's callback.
type Notification struct {
	Integration string
	// Request is our ID of the HTTP request.
	Request string
	// Signature is the X-Hub-Signature-256 header.
	Signature string
	// Body is the raw body. It is not kept.
	Body []byte
}

// maxPayload bounds what of a notification is kept for the event log, in
// bytes. Spec: "Streams and exports".
const maxPayload = 64 << 10

// receiveTime bounds taking in one notification. Meta waits longer.
const receiveTime = 5 * time.Second

// parallel bounds how many conversations one notification reaches at a time.
const parallel = 32

// Receive stores everything a notification holds and returns when it is
// durable. Each sender's part goes to the conversation with that sender, the
// rest to the integration's callback. Errors: refusals of the notification
// itself; anything else means that part of it may not be stored, and Meta has
// to send it again.
func (s *Server) Receive(ctx context.Context, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, receiveTime)
	defer cancel()
	view, err := s.look(ctx, n.Integration)
	if err != nil {
		return err
	}
	r := receiver{server: s, notification: n, view: view}
	if err := r.authentic(ctx); err != nil {
		return err
	}
	parsed, err := whatsapp.Parse(n.Body)
	if err != nil {
		return r.refuse(ctx, http.StatusBadRequest, err.Error(), invalid("The body must be a JSON object"))
	}
	deliveries, rest := whatsapp.Split(parsed, n.Body)
	err = r.store(ctx, parsed, deliveries, rest)
	s.logger.Debug("notification stored", "integration", n.Integration, "request", n.Request,
		"messages", len(parsed.Messages), "statuses", len(parsed.Statuses), "err", err)
	return err
}

// receiver takes in one notification.
type receiver struct {
	server       *Server
	notification Notification
	view         integration.View
}

// authentic checks the signature, if the integration has an app secret.
func (r receiver) authentic(ctx context.Context) error {
	ref := r.view.Settings.AppSecret
	if ref == "" {
		return nil
	}
	secret, err := r.server.vault.Open(ctx, r.notification.Integration, ref)
	if err != nil {
		return err
	}
	if whatsapp.Verify(r.notification.Signature, r.notification.Body, secret.Reveal()) {
		return nil
	}
	reason := "The signature does not match. Is the app secret the one of the app that sends (App settings > Basic), " +
		"not an access token or verify token, and does no proxy change the body?"
	if r.notification.Signature == "" {
		reason = "The signature is missing (X-Hub-Signature-256)."
	}
	return r.refuse(ctx, http.StatusForbidden, reason, errNotAuthorized)
}

// refuse records a refusal and gives it back.
func (r receiver) refuse(ctx context.Context, status int, reason string, refusal error) error {
	err := r.report(ctx, callback.Refuse{Status: status, Reason: reason})
	if err != nil {
		return err
	}
	return refusal
}

func (r receiver) report(ctx context.Context, body any) error {
	return r.server.report(ctx, r.notification.Integration, r.view.Account, r.notification.Request, body)
}

// store hands each part to whom it concerns. One that fails does not stop the
// others, but then the whole notification is not acknowledged.
func (r receiver) store(ctx context.Context, parsed whatsapp.Notification, deliveries []whatsapp.Delivery, rest whatsapp.Rest) error {
	own, foreign := r.sort(deliveries)
	if len(own) == 1 && len(foreign) == 0 && rest.IsEmpty() {
		return r.deliver(ctx, own[0])
	}
	elsewhere, foreign, err := r.redirect(ctx, foreign)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, d := range own {
		group.Go(func() error { return r.deliver(ctx, d) })
	}
	for _, e := range elsewhere {
		group.Go(func() error { return e.to.deliver(ctx, e.Delivery) })
	}
	group.Go(func() error { return r.remainder(ctx, parsed, foreign, rest, len(own)+len(elsewhere) == 0) })
	for _, c := range rest.Changes {
		group.Go(func() error { return r.follow(ctx, c) })
	}
	return group.Wait()
}

// follow tells conversations that their senders have other user IDs.
func (r receiver) follow(ctx context.Context, c whatsapp.Change) error {
	number, changes := c.UserIDChanges()
	if own := r.view.Settings.PhoneNumberID; number != "" && own != "" && number != own {
		return nil
	}
	for _, change := range changes {
		err := r.converse(ctx, change.Sender(), conversation.Receive{Became: []events.Person{{UserID: change.Current}}})
		if err != nil {
			return err
		}
	}
	return nil
}

// redirected is a delivery for another integration of the account.
type redirected struct {
	whatsapp.Delivery
	to receiver
}

// redirect finds the account's integrations that deliveries for other phone
// numbers belong to: an app of Meta's sends all its numbers to one callback.
// The signature was checked, and both belong to the same owner. left are those
// that no integration claims.
func (r receiver) redirect(ctx context.Context, foreign []whatsapp.Delivery) (found []redirected, left []whatsapp.Delivery, err error) {
	for _, d := range foreign {
		claims, err := r.server.model.IntegrationsOf(ctx, r.view.Account, d.PhoneNumberID)
		if err != nil {
			return nil, nil, err
		}
		if len(claims) == 0 {
			left = append(left, d)
			continue
		}
		to := r
		to.notification.Integration = claims[0].ID
		if to.view, err = r.server.look(ctx, claims[0].ID); domain.IsRefusal(err, domain.NotFound) {
			left = append(left, d) // deleted a moment ago
		} else if err != nil {
			return nil, nil, err
		} else {
			found = append(found, redirected{d, to})
		}
	}
	return found, left, nil
}

// sort tells the deliveries for the integration's phone number from those for
// another one. One that names no number, or an integration that has none yet,
// is taken at its word.
func (r receiver) sort(deliveries []whatsapp.Delivery) (own, foreign []whatsapp.Delivery) {
	number := r.view.Settings.PhoneNumberID
	for _, d := range deliveries {
		if d.PhoneNumberID == "" || number == "" || d.PhoneNumberID == number {
			own = append(own, d)
		} else {
			foreign = append(foreign, d)
		}
	}
	return own, foreign
}

// The bounds of one command: its facts must fit into one append.
const (
	batchItems = 100
	batchBytes = 512 << 10
)

// deliver gives a sender's part to the conversation, in as many commands as it
// takes. The first one carries the notification.
func (r receiver) deliver(ctx context.Context, d whatsapp.Delivery) error {
	m := r.server.metrics
	m.items.WithLabelValues("message").Add(float64(len(d.Messages)))
	m.items.WithLabelValues("status").Add(float64(len(d.Statuses)))
	m.items.WithLabelValues("echo").Add(float64(len(d.Echoes)))
	body := conversation.Receive{
		Policy: policyOf(r.view.Settings, d.Sender),
		Notification: &events.NotificationReceived{
			Payload: cut(d.Payload), Size: len(d.Payload), Fields: fields(d),
			Messages: len(d.Messages), Statuses: len(d.Statuses),
		},
	}
	size := len(body.Notification.Payload)
	flush := func() error {
		err := r.converse(ctx, d.Sender, body)
		body.Notification, body.Messages, body.Statuses, body.Echoes, body.Became, size = nil, nil, nil, nil, nil, 0
		return err
	}
	for _, e := range d.Echoes {
		if len(body.Echoes) == batchItems || size > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		in := inbound(e.Message)
		size += len(in.Text)
		body.Echoes = append(body.Echoes, conversation.Echo{
			Message: in.Message, Session: in.Session, WAMID: in.WAMID, Kind: in.Kind, Text: in.Text, At: in.At,
		})
	}
	for _, st := range d.Statuses {
		if len(body.Statuses) == batchItems {
			if err := flush(); err != nil {
				return err
			}
		}
		body.Statuses = append(body.Statuses, status(st))
	}
	for _, message := range d.Messages {
		in := inbound(message)
		if s := message.System; s != nil && (s.WaID != "" || s.UserID != "") {
			body.Became = append(body.Became, events.Person{Phone: s.WaID, UserID: s.UserID})
		}
		if len(body.Messages) == batchItems || size+len(in.Text) > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		size += len(in.Text)
		body.Messages = append(body.Messages, in)
	}
	return flush()
}

// fields names the webhook fields of a delivery.
func fields(d whatsapp.Delivery) []string {
	var names []string
	if len(d.Messages)+len(d.Statuses) > 0 {
		names = append(names, "messages")
	}
	if len(d.Echoes) > 0 {
		names = append(names, d.Echoes[0].Field)
	}
	return names
}

func (r receiver) converse(ctx context.Context, sender string, body conversation.Receive) error {
	_, err := r.server.actors.Ask(ctx, conversationAddress(r.notification.Integration, sender), domain.Command{
		ID: events.NewKey(), At: events.At(time.Now()), Account: r.view.Account,
		Correlation: cmp.Or(journeyOf(body), r.notification.Request), Causation: r.notification.Request, Body: body,
	})
	return err
}

// journeyOf is what a delivery belongs to: the first message, by which its turn
// will go, or the turn of the first status that says it. An echo that is not in
// our form is none of ours.
func journeyOf(body conversation.Receive) string {
	if len(body.Messages) > 0 {
		return body.Messages[0].Message
	}
	for _, st := range body.Statuses {
		if turn := events.TurnOf(st.Echo); events.IsKey(turn) {
			return turn
		}
	}
	return ""
}

// policyOf is what an integration prescribes for a sender.
func policyOf(s events.IntegrationSettings, sender string) conversation.Policy {
	return conversation.Policy{
		Allowed: integration.Admits(s.AllowFrom, sender),
		BotID:   s.BotID, BlueprintID: s.BlueprintID, Lifetime: integration.Lifetime(s),
		ContactCollection: s.ContactCollection, Attachments: s.Attachments,
	}
}

// maxSender bounds the part of a stream's name that comes from outside.
const maxSender = 160

func conversationAddress(integrationID, sender string) domain.Address {
	if len(sender) > maxSender {
		sender = events.DeriveKey(sender)
	}
	return domain.Address{Kind: events.ConversationCategory, ID: events.ConversationID(integrationID, sender)}
}

// maxText bounds a message's text, in bytes: it has to fit into one append, and
// into one line of JSON, where a sign may take six bytes.
// WhatsApp's own limit is far below.
const maxText = 96 << 10

func inbound(m whatsapp.Message) conversation.Inbound {
	text, opens := m.Prompt()
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + " […]"
	}
	return conversation.Inbound{
		Message: events.NewKey(), Session: events.NewKey(), WAMID: wamid(m.ID, m.Raw),
		From: m.From, UserID: m.UserID, Profile: m.Profile, Username: m.Username, Kind: m.Type,
		Text: text, ReplyTo: m.Context.ReplyTo, At: events.At(m.Timestamp), Opens: opens && m.GroupID == "",
		Tap: m.Reply != nil, Media: mediaOf(m), Placeholder: m.IsPlaceholder(),
	}
}

// mediaOf is what is known of the file that came with a message, if one did.
func mediaOf(m whatsapp.Message) *events.Media {
	if m.Media == nil || m.Media.ID == "" || m.GroupID != "" {
		return nil
	}
	return &events.Media{
		ID: m.Media.ID, Type: m.Media.MIME, SHA256: m.Media.SHA256, Name: m.Media.Filename, Voice: m.Media.Voice,
	}
}

// wamid is the message's ID, or one made of the message if it came without: a
// repeat must be recognised all the same.
func wamid(id string, raw []byte) string {
	if id == "" {
		return "none." + events.DeriveKey(string(raw))
	}
	return id
}

func status(st whatsapp.Status) conversation.Status {
	out := conversation.Status{
		WAMID: st.ID, Status: st.Status, Recipient: st.Recipient(), At: events.At(st.Timestamp), Echo: st.Opaque,
	}
	if len(st.Errors) > 0 {
		e := st.Errors[0]
		out.Code, out.Title, out.Detail = e.Code, e.Title, e.Detail
		if out.Detail == "" {
			out.Detail = e.Message
		}
		out.Cure = whatsapp.Advise(e).Cure
	}
	return out
}

// cut bounds a payload. What is cut is not JSON any more.
func cut(payload []byte) []byte {
	return payload[:min(len(payload), maxPayload)]
}
