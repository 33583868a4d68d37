package account_test

import (
	"strings"
	"testing"

	"parley/domain"
	"parley/domain/account"
	"parley/domain/domaintest"
	"parley/events"
)

func TestRules(t *testing.T) {
	issued := events.TokenIssued{Token: "t1", Name: "first", Hash: []byte{1}}
	put := func(body any) domain.Command { return domain.Command{ID: "c", Body: body} }
	domaintest.Run(t, account.New(), []domaintest.Case{
		{
			Name: "a token is issued", When: put(account.Issue{Token: "t1", Name: "first", Hash: []byte{1}}),
			Then: []events.Event{issued},
		},
		{Name: "a token is issued once", Given: []events.Event{issued}, When: put(account.Issue{Token: "t1", Hash: []byte{2}})},
		{
			Name: "the first token is issued", When: put(account.Issue{Token: "t1", Name: "first", Hash: []byte{1}, First: true}),
			Then: []events.Event{issued},
		},
		{
			Name: "there is one first token", Given: []events.Event{issued},
			When: put(account.Issue{Token: "t2", Hash: []byte{2}, First: true}), Refused: domain.Conflict,
		},
		{
			Name: "where all are revoked there is a first one again", Given: []events.Event{issued, events.TokenRevoked{Token: "t1"}},
			When: put(account.Issue{Token: "t2", Hash: []byte{2}, First: true}), Then: []events.Event{events.TokenIssued{Token: "t2", Hash: []byte{2}}},
		},
		{
			Name: "a token's name is bounded", When: put(account.Issue{Token: "t1", Name: strings.Repeat("n", 1025), Hash: []byte{1}}),
			Refused: domain.Invalid,
		},
		{
			Name: "a token is revoked", Given: []events.Event{issued},
			When: put(account.Revoke{Token: "t1"}), Then: []events.Event{events.TokenRevoked{Token: "t1"}},
		},
		{
			Name: "a token is revoked once", Given: []events.Event{issued, events.TokenRevoked{Token: "t1"}},
			When: put(account.Revoke{Token: "t1"}), Refused: domain.NotFound,
		},
	})
}
