package http

import (
	"context"
	"strings"

	"parley/domain/callback"
	"parley/events"
	"parley/whatsapp"
)

// remainder gives what concerns no conversation of ours to the integration's
// callback. only says that the notification holds nothing else, so that it is
// recorded even when it says nothing.
func (r receiver) remainder(ctx context.Context, parsed whatsapp.Notification, foreign []whatsapp.Delivery, rest whatsapp.Rest, only bool) error {
	if len(foreign) == 0 && rest.IsEmpty() && !only {
		return nil
	}
	notes := notes{report: func(n callback.Notify) error { return r.report(ctx, n) }}
	payload, counts := r.notification.Body, parsed
	if !only { // what people of ours said is theirs alone
		all := rest.With(foreign...)
		payload, counts = all.Payload, whatsapp.Notification{Messages: all.Messages, Statuses: all.Statuses}
	}
	notes.add(len(cut(payload)), func(n *callback.Notify) {
		n.Notification = &events.NotificationReceived{
			Payload: cut(payload), Size: len(payload), Fields: parsed.Fields,
			Messages: len(counts.Messages), Statuses: len(counts.Statuses),
			Problem: problems(rest, only && len(foreign) == 0),
		}
	})
	for _, s := range system(rest) {
		notes.add(len(s.Value), func(n *callback.Notify) { n.System = append(n.System, s) })
	}
	for _, st := range rest.Statuses {
		x := status(st)
		notes.add(0, func(n *callback.Notify) {
			n.Statuses = append(n.Statuses, events.StatusReceived{
				WAMID: x.WAMID, Status: x.Status, At: x.At, Code: x.Code, Title: x.Title, Detail: x.Detail,
			})
		})
	}
	for _, d := range foreign {
		notes.add(0, func(n *callback.Notify) { n.Misdirected = append(n.Misdirected, r.misdirected(d)) })
	}
	r.server.metrics.items.WithLabelValues("other").Add(float64(notes.total))
	return notes.flush()
}

// notes gathers what the callback is told, in as many commands as it takes:
// each has to fit into one append.
type notes struct {
	report      func(callback.Notify) error
	body        callback.Notify
	size, items int
	total       int
	err         error
}

func (n *notes) add(size int, put func(*callback.Notify)) {
	if n.items == batchItems || n.size+size > batchBytes {
		_ = n.flush() // kept for the last one
	}
	put(&n.body)
	n.size, n.items, n.total = n.size+size, n.items+1, n.total+1
}

func (n *notes) flush() error {
	if n.err == nil && n.items > 0 {
		n.err = n.report(n.body)
	}
	n.body, n.size, n.items = callback.Notify{}, 0, 0
	return n.err
}

// system tells the news that concern no conversation. A message that names no
// sender is among them: nobody can be answered.
func system(rest whatsapp.Rest) []events.SystemNotified {
	var all []events.SystemNotified
	for _, c := range rest.Changes {
		all = append(all, events.SystemNotified{Field: c.Field, Entry: c.WABAID, Value: cut(c.Value)})
	}
	for _, e := range rest.Errors {
		all = append(all, events.SystemNotified{
			Field: "errors", Entry: e.WABAID, Value: cut(e.Raw), Code: e.Code, Detail: e.Failure.Error(),
		})
	}
	for _, m := range rest.Messages {
		all = append(all, events.SystemNotified{
			Field: "messages", Entry: m.WABAID, WAMID: m.ID, Value: cut(m.Raw), Detail: "The message names no sender.",
		})
	}
	return all
}

func (r receiver) misdirected(d whatsapp.Delivery) events.NotificationMisdirected {
	m := events.NotificationMisdirected{PhoneNumberID: d.PhoneNumberID, Expected: r.view.Settings.PhoneNumberID}
	for _, message := range d.Messages[:min(len(d.Messages), batchItems)] {
		m.WAMIDs = append(m.WAMIDs, message.ID)
	}
	return m
}

// problems says what could not be understood. empty means that the
// notification holds nothing at all.
func problems(rest whatsapp.Rest, empty bool) string {
	if empty && rest.IsEmpty() {
		return "The notification holds nothing."
	}
	var all []string
	for _, p := range rest.Problems {
		all = append(all, p.Where+": "+p.Reason)
	}
	text := strings.Join(all, "; ")
	return strings.ToValidUTF8(text[:min(len(text), 1000)], "")
}
