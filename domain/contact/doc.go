// Package contact holds the rules of contacts: the people who write to an
// account, and those that it entered itself.
//
// A contact's ID derives from its account and its fingerprint, so that two who
// want to make the same contact at once meet in one stream. WhatsApp knows a
// person by a phone number, by user IDs and by a username, any of which may be
// missing or change. Each phone number and user ID is claimed for a contact by
// an alias whose holder is the contact's fingerprint.
//
// The rule to keep: what a message tells is added to what is known, and never
// put over what somebody entered.
package contact
