package perform

import (
	"cmp"
	"context"
	"errors"

	"parley/actors"
	"parley/domain"
	"parley/domain/alias"
	"parley/domain/contact"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/events"
)

// collect stores the person a conversation is with as a contact of the
// integration's account, and links the session with it. Every step may be
// repeated: which contact the person is stands in the aliases before the
// contact is made. For a deleted integration nothing is collected.
func (p *Conversation) collect(ctx context.Context, w actors.Work, task conversation.Collect) error {
	id, _ := events.SplitConversationID(w.Address.ID)
	answer, err := w.Asker.Query(ctx, domain.Address{Kind: events.IntegrationCategory, ID: id}, integration.Look{})
	if domain.IsRefusal(err, domain.NotFound) {
		return w.Report(ctx, "", conversation.SkipContact{Reason: abandonDeleted.Detail})
	}
	if err != nil {
		return err
	}
	c := collection{work: w, account: answer.(integration.View).Account}
	fingerprint, err := c.follow(ctx, task.Was, task.Who)
	if err != nil {
		return err
	}
	to := contact.Address(c.account, fingerprint)
	if err := c.ask(ctx, to, contact.Learn{Fingerprint: fingerprint, Who: task.Who}); err != nil {
		return err
	}
	return w.Report(ctx, "", conversation.ReportContact{Session: task.Session, Contact: to.ID})
}

// collection finds out which contact of an account a person is.
type collection struct {
	work    actors.Work
	account string
}

// follow is recognise for a person who may have been known by other
// identifiers. Then the new ones are claimed for whoever that was.
func (c collection) follow(ctx context.Context, was *events.Person, is events.Person) (string, error) {
	if was == nil || *was == (events.Person{}) {
		return c.recognise(ctx, is)
	}
	fingerprint, err := c.recognise(ctx, *was)
	for _, identifier := range []string{is.UserID, contact.Identifier(is.Phone)} {
		if err != nil {
			break
		}
		var holder string
		if holder, err = c.claim(ctx, identifier, fingerprint); err == nil && holder != fingerprint {
			err = c.move(ctx, identifier, holder, fingerprint)
		}
	}
	return fingerprint, err
}

// recognise gives the fingerprint of the contact that the person is, and
// claims the person's identifiers for it. A contact that is known by the phone
// number comes first, then one that is known by the user ID, then a new one.
//
// The user ID is claimed before the phone number: those who know only one of
// the two know the user ID, and it decides which of them makes the contact.
func (c collection) recognise(ctx context.Context, who events.Person) (string, error) {
	phone := contact.Identifier(who.Phone)
	if phone == "" && who.UserID == "" {
		return "", errors.New("the person has neither phone number nor user ID")
	}
	known, err := c.holder(ctx, phone)
	if err != nil {
		return "", err
	}
	wanted := cmp.Or(known, contact.Fingerprint(cmp.Or(phone, who.UserID)))
	byUserID, err := c.claim(ctx, who.UserID, wanted)
	if err != nil {
		return "", err
	}
	byPhone, err := c.claim(ctx, phone, byUserID)
	if err == nil && byPhone != byUserID && who.UserID != "" {
		err = c.move(ctx, who.UserID, byUserID, byPhone)
	}
	return byPhone, err
}

// holder gives the fingerprint of the contact that has an identifier, "" if
// none has.
func (c collection) holder(ctx context.Context, identifier string) (string, error) {
	if identifier == "" {
		return "", nil
	}
	answer, err := c.work.Asker.Query(ctx, c.address(identifier), alias.Look{})
	if err != nil {
		return "", err
	}
	return answer.(string), nil
}

// claim claims an identifier for a contact, and gives the fingerprint of the
// one that has it now. Nothing is claimed without an identifier.
func (c collection) claim(ctx context.Context, identifier, fingerprint string) (string, error) {
	if identifier == "" {
		return fingerprint, nil
	}
	err := c.ask(ctx, c.address(identifier), alias.Claim{Holder: fingerprint})
	if !domain.IsRefusal(err, domain.Conflict) {
		return fingerprint, err
	}
	holder, err := c.holder(ctx, identifier)
	if err == nil && holder == "" {
		err = errors.New("the identifier was released at this moment")
	}
	return holder, err
}

// move gives an identifier of one contact to another that turned out to be the
// same person. One that was claimed just now stays where it is, until a later
// session asks again.
func (c collection) move(ctx context.Context, identifier, from, to string) error {
	err := c.ask(ctx, c.address(identifier), alias.Claim{Holder: to, Instead: from})
	if domain.IsRefusal(err, domain.Conflict) {
		return nil
	}
	return err
}

func (c collection) address(identifier string) domain.Address {
	return alias.Address(c.account, events.ContactCategory, identifier)
}

func (c collection) ask(ctx context.Context, to domain.Address, body any) error {
	command := c.work.Command("", body)
	command.Account = c.account
	_, err := c.work.Asker.Ask(ctx, to, command)
	return err
}
