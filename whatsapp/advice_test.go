package whatsapp_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

// TestAdviceFollowsMetasTable goes through Meta's documented error codes.
func TestAdviceFollowsMetasTable(t *testing.T) {
	table := map[whatsapp.Action][]int{
		whatsapp.Retry:        {1, 2, 131000, 131026, 133004, 139102},
		whatsapp.BackOff:      {4, 17, 80007, 130429, 131016, 131048, 131057, 132069, 2494100},
		whatsapp.Pace:         {131056},
		whatsapp.Stop:         {0, 190, 3, 10, 200, 250, 299, 131005, 104, 33, 368, 131031, 131037, 131042, 131045, 133000, 133005, 133010, 133015, 133016, 134011},
		whatsapp.NeedTemplate: {131047},
		whatsapp.Never: {
			100, 130403, 130472, 130497, 131008, 131009, 131021, 131030, 131049, 131050, 131051, 131052, 131053, 131055, 131060, 131062, 131063, 131064,
			132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018, 132068, 134100, 134102, 135000, 147001, 147004, 2388001, 2593107,
		},
	}
	for action, codes := range table {
		for _, code := range codes {
			// The status must not matter: Meta answers 400 to nearly everything.
			a := whatsapp.Advise(fmt.Errorf("send: %w", &whatsapp.Error{Status: 400, Code: code, Type: "OAuthException"}))
			if a.Action != action {
				t.Errorf("%d: got %s, want %s", code, a.Action, action)
			}
			if a.Action == whatsapp.Stop && a.Cure == "" {
				t.Errorf("%d: stops everything but names no cure", code)
			}
		}
	}
}

func TestAdvise(t *testing.T) {
	refused := func(status, code int) *whatsapp.Error {
		return &whatsapp.Error{Status: status, Code: code, Type: "OAuthException"}
	}
	cases := []struct {
		rule string
		err  error
		want whatsapp.Action
	}{
		{"no error needs no advice", nil, ""},
		{"an unclear outcome is settled", &whatsapp.Unclear{Err: errors.New("x")}, whatsapp.Settle},
		{"also if what answered was no API", &whatsapp.Unclear{Err: &whatsapp.Error{Status: 502}}, whatsapp.Settle},
		{"what was not sent is sent again", &whatsapp.Unsent{Err: errors.New("x")}, whatsapp.Retry},
		{"but not to nobody", &whatsapp.Unsent{Err: whatsapp.ErrAddress}, whatsapp.Never},
		{"and not what is no message", &whatsapp.Unsent{Err: whatsapp.ErrPayload}, whatsapp.Never},
		{"a failed status counts like a refusal", whatsapp.Failure{Code: 131047}, whatsapp.NeedTemplate},
		{"a failed status of an unknown code is final", whatsapp.Failure{Code: 5}, whatsapp.Never},
		{"a failed status without a code says nothing of the token", whatsapp.Failure{}, whatsapp.Never},
		{"code 100 with subcode 33 is about the number", &whatsapp.Error{Status: 400, Code: 100, Subcode: 33}, whatsapp.Stop},
		{"an unknown code goes by its status", refused(401, 999), whatsapp.Stop},
		{"an unknown code with 429 backs off", refused(429, 999), whatsapp.BackOff},
		{"an unknown code with 500 is tried again", refused(500, 999), whatsapp.Retry},
		{"an unknown code with 400 is final", refused(400, 999), whatsapp.Never},
		{"an unknown code that Meta calls transient is tried again", &whatsapp.Error{Status: 400, Code: 999, Transient: true}, whatsapp.Retry},
		{"a 404 that is not Meta's is a wrong address", &whatsapp.Error{Status: 404}, whatsapp.Stop},
		{"a redirect likewise", &whatsapp.Error{Status: 302}, whatsapp.Stop},
		{"a foreign error might be anything", errors.New("x"), whatsapp.Settle},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if got := whatsapp.Advise(c.err).Action; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWaits(t *testing.T) {
	waits := func(err error) (list []time.Duration) {
		for try := range 4 {
			list = append(list, whatsapp.Advise(err).Wait(try))
		}
		return list
	}
	s, h := time.Second, time.Hour
	cases := []struct {
		rule string
		err  error
		want []time.Duration
	}{
		{"the pair rate waits for powers of four", &whatsapp.Error{Code: 131056}, []time.Duration{s, 4 * s, 16 * s, 64 * s}},
		{"maintenance waits for a minute each time", &whatsapp.Error{Code: 131057}, []time.Duration{60 * s, 60 * s, 60 * s, 60 * s}},
		{"the spam limit waits for hours", &whatsapp.Error{Code: 131048}, []time.Duration{2 * h, 2 * h, 2 * h, 2 * h}},
		{"a wait that was asked for counts if it is longer", &whatsapp.Error{Code: 131056, RetryAfter: 10 * s}, []time.Duration{10 * s, 40 * s, 160 * s, 640 * s}},
		{"waits end growing at an hour", &whatsapp.Error{Code: 4, RetryAfter: 50 * time.Minute}, []time.Duration{50 * time.Minute, h, h, h}},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			if diff := cmp.Diff(c.want, waits(c.err)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	if got := whatsapp.Advise(&whatsapp.Error{Code: 131056}).Wait(1000); got != h {
		t.Errorf("the thousandth wait is %v", got)
	}
}
