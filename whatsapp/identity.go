package whatsapp

import "encoding/json"

// FieldUserID is the webhook field that tells of changed user IDs.
const FieldUserID = "user_id_update"

// UserIDChange says that a person has another user ID. Meta: user_id_update.
type UserIDChange struct {
	// WaID is the phone number; it may be missing.
	WaID     string
	Previous string
	Current  string
}

// Sender is what messages of the person were known by before: Message.Sender.
func (c UserIDChange) Sender() string {
	if c.WaID != "" {
		return c.WaID
	}
	return c.Previous
}

// UserIDChanges reads a change of the field [FieldUserID]. What cannot be read
// is left out.
func (c Change) UserIDChanges() (phoneNumberID string, changes []UserIDChange) {
	var value struct {
		Metadata struct {
			PhoneNumberID string `json:"phone_number_id"`
		} `json:"metadata"`
		Updates []struct {
			WaID   string `json:"wa_id"`
			UserID struct {
				Previous string `json:"previous"`
				Current  string `json:"current"`
			} `json:"user_id"`
		} `json:"user_id_update"`
	}
	if c.Field != FieldUserID || json.Unmarshal(c.Value, &value) != nil {
		return "", nil
	}
	for _, u := range value.Updates {
		change := UserIDChange{WaID: u.WaID, Previous: u.UserID.Previous, Current: u.UserID.Current}
		if change.Current != "" && change.Sender() != "" {
			changes = append(changes, change)
		}
	}
	return value.Metadata.PhoneNumberID, changes
}
