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
	body := callback.Notify{Notification: events.NotificationReceived{
		Payload: cut(r.notification.Body), Size: len(r.notification.Body), Fields: parsed.Fields,
		Messages: len(parsed.Messages), Statuses: len(parsed.Statuses), Problem: problems(rest, only && len(foreign) == 0),
	}}
	if !only && len(foreign) == 0 {
		body.Notification.Payload, body.Notification.Size = cut(rest.Payload), len(rest.Payload)
		body.Notification.Messages, body.Notification.Statuses = len(rest.Messages), len(rest.Statuses)
	}
	for _, c := range rest.Changes {
		body.System = append(body.System, events.SystemNotified{Field: c.Field, Entry: c.WABAID, Value: cut(c.Value)})
	}
	for _, e := range rest.Errors {
		body.System = append(body.System, events.SystemNotified{
			Field: "errors", Entry: e.WABAID, Value: cut(e.Raw), Code: e.Code, Detail: e.Failure.Error(),
		})
	}
	for _, m := range rest.Messages {
		body.System = append(body.System, events.SystemNotified{
			Field: "messages", Entry: m.WABAID, Value: cut(m.Raw), Detail: "A message without a sender cannot be answered.",
		})
	}
	for _, st := range rest.Statuses {
		x := status(st)
		body.Statuses = append(body.Statuses, events.StatusReceived{
			WAMID: x.WAMID, Status: x.Status, At: x.At, Code: x.Code, Title: x.Title, Detail: x.Detail,
		})
	}
	for _, d := range foreign {
		m := events.NotificationMisdirected{PhoneNumberID: d.PhoneNumberID, Expected: r.view.Settings.PhoneNumberID}
		for _, message := range d.Messages {
			m.WAMIDs = append(m.WAMIDs, message.ID)
		}
		body.Misdirected = append(body.Misdirected, m)
	}
	r.server.metrics.items.WithLabelValues("other").Add(float64(len(body.System) + len(body.Misdirected)))
	return r.report(ctx, body)
}

// problems says what could not be understood. empty means that the
// notification holds nothing at all.
func problems(rest whatsapp.Rest, empty bool) string {
	var all []string
	for _, p := range rest.Problems {
		all = append(all, p.Where+": "+p.Reason)
	}
	if len(all) == 0 && empty && rest.IsEmpty() {
		return "The notification holds nothing."
	}
	text := strings.Join(all, "; ")
	return text[:min(len(text), 1000)]
}
