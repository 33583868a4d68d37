// Package parley is the house: it names every part of a node and joins them.
//
// Parley connects AI bots with WhatsApp Business. Webhooks come in, each
// sender's conversation is an actor whose state is rebuilt from an event
// stream, a bot engine answers, and the answers go out through the WhatsApp
// Cloud API. ARCHITECTURE.md tells the whole on one page.
//
// Only this package may import all others.
package parley
