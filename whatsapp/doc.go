// Package whatsapp speaks Meta's WhatsApp Cloud API: it reads webhooks
// ([Parse], [Split], [Verify]), turns inbound messages into text for an engine
// ([Message.Prompt]), renders answers within Meta's limits ([Text], [Buttons],
// [List] …), sends them ([Client]) and says what a refusal means ([Advise]).
//
// It is not a bot and keeps nothing: no queue, no retries, no clock of its own.
// It knows the wire and nothing of who uses it.
//
// The rule to keep: what arrives is read tolerantly and never lost, what leaves
// is valid. A webhook with something odd in it gives everything else that is in
// it and a [Problem]; a constructor that is given too much makes several
// messages of it, or a plainer one.
//
// Comments that begin with "Meta:" cite Meta's public documentation of the
// Cloud API, or behaviour of it that was observed.
package whatsapp
