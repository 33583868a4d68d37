package events

import "strings"

// The categories of streams. A category is also the kind of the actor that
// writes its streams.
const (
	// AliasCategory holds who bears an alias.
	AliasCategory = "alias"
	// AccountCategory holds who may call the API.
	AccountCategory = "account"
	// BlueprintCategory holds blueprints.
	BlueprintCategory = "blueprint"
	// BotCategory holds bots.
	BotCategory = "bot"
	// CallbackCategory holds what reached an integration's callback and
	// belongs to no sender: verification, refusals, system notifications.
	CallbackCategory = "callback"
	// CompletionCategory holds what answers cost that are stored nowhere.
	CompletionCategory = "completion"
	// ContactCategory holds the people who wrote to an account.
	ContactCategory = "contact"
	// ConversationCategory holds what passed between one sender and one
	// integration, or in one conversation that the API made.
	ConversationCategory = "conversation"
	// FileCategory holds files that were uploaded through the API.
	FileCategory = "file"
	// IntegrationCategory holds the settings of WhatsApp integrations.
	IntegrationCategory = "integration"
	// SecretCategory holds sealed credentials, one stream an integration.
	SecretCategory = "secret"
)

// StreamOf names a stream of a category, for example
// StreamOf("bot", "k3v9") = "bot-k3v9".
func StreamOf(category, id string) Stream { return Stream(category + "-" + id) }

// Category is the text before the first dash.
func (s Stream) Category() string {
	category, _, _ := strings.Cut(string(s), "-")
	return category
}

// ID is the text after the first dash.
func (s Stream) ID() string {
	_, id, _ := strings.Cut(string(s), "-")
	return id
}

// ConversationID joins an integration and a sender to the ID of their
// conversation's stream: "<integration>.<sender>". Integration IDs have no dot.
func ConversationID(integration, sender string) string { return integration + "." + sender }

// SplitConversationID undoes ConversationID. Both are "" for a conversation
// that the API made: its ID has no dot, and nobody on WhatsApp is part of it.
func SplitConversationID(id string) (integration, sender string) {
	integration, sender, ok := strings.Cut(id, ".")
	if !ok {
		return "", ""
	}
	return integration, sender
}
