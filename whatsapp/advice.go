package whatsapp

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// Action is what to do after a message was not sent.
type Action string

const (
	// Retry: send the same again after a wait, a few times.
	Retry Action = "retry"
	// BackOff: the phone number or the app asks too much; let all of its
	// messages wait.
	BackOff Action = "back_off"
	// Pace: this one person gets too much too fast; let only theirs wait, in order.
	Pace Action = "pace"
	// Stop: nothing can be sent from this number until an operator has done
	// what Cure says. Keep what is waiting.
	Stop Action = "stop"
	// NeedTemplate: the person has not written for 24 hours, and only a
	// template may be sent.
	NeedTemplate Action = "need_template"
	// Never: the same message will always be refused.
	Never Action = "never"
	// Settle: wait for a status that repeats the opaque data, and send once
	// more if none comes.
	Settle Action = "settle"
)

// Advice says what an error means for whoever sends.
type Advice struct {
	Action Action
	// Delay is the wait before the next try; every further one is Factor times
	// as long. Factor 0 means that it stays the same.
	Delay  time.Duration
	Factor int
	// Tries is how many more are worth it; 0 means as many as one likes if the
	// Action tries again at all.
	Tries int
	// Cure tells an operator what to do; empty if there is nothing.
	Cure string
}

// longestWait bounds growing waits.
const longestWait = time.Hour

// Wait is the wait before a further try, the first being number 0.
func (a Advice) Wait(try int) time.Duration {
	wait := a.Delay
	for range try {
		if a.Factor < 2 || wait >= longestWait {
			break
		}
		wait = min(wait*time.Duration(a.Factor), longestWait)
	}
	return wait
}

const (
	cureToken   = "The access token is invalid or expired: store a new one, best a system user's that does not expire."
	cureAccess  = "The token lacks a permission or access to the number: give its system user the WhatsApp account as an asset, and the permissions whatsapp_business_messaging and whatsapp_business_management."
	cureNumber  = "The phone number is gone or not visible to this token: check the phone number ID."
	cureAccount = "Meta has restricted the account: see the WhatsApp Manager for the reason and how to appeal."
	curePayment = "Add a payment method to the WhatsApp business account; replies are charged too."
	cureReport  = "This is a bug of the sender's, not of Meta's: report it with the detail."
	cureSignup  = "Register the phone number with the Cloud API (and its PIN) again."
	cureMedia   = "Meta could not use the file: check its address, type and size."
	cureTest    = "A test number only writes to its list of allowed recipients: add this one, for Argentina without the 9 after 54."
	cureName    = "The number needs an approved display name."
	curePolicy  = "Too many people blocked or reported the number: write less and only what was asked for."
	cureTerms   = "Accept the outstanding terms in the WhatsApp Manager."
	cureFlow    = "The template or flow cannot be used as it is: see the WhatsApp Manager."
	cureUserID  = "This kind of message cannot go to a user ID: a phone number is needed."
)

// What is done again and again.
var (
	retrySoon  = Advice{Action: Retry, Delay: 2 * time.Second, Factor: 4, Tries: 5}
	retryTwice = Advice{Action: Retry, Delay: 2 * time.Second, Factor: 4, Tries: 2}
	retryOnce  = Advice{Action: Retry, Delay: 5 * time.Second, Tries: 1}
	slowDown   = Advice{Action: BackOff, Delay: 2 * time.Second, Factor: 2}
	slowALot   = Advice{Action: BackOff, Delay: 2 * time.Minute, Factor: 2}
	maintained = Advice{Action: BackOff, Delay: time.Minute}
	never      = Advice{Action: Never}
	reportBug  = Advice{Action: Never, Cure: cureReport}
	settle     = Advice{Action: Settle, Delay: time.Minute, Tries: 1}
)

// CodeWindowClosed is Meta's error code for free text to a person who has not
// written for 24 hours.
const CodeWindowClosed = 131047

func stop(cure string) Advice { return Advice{Action: Stop, Cure: cure} }

func giveUp(cure string) Advice { return Advice{Action: Never, Cure: cure} }

// CodeAdvice is what Meta's codes From to To, both included, mean.
type CodeAdvice struct {
	From, To int
	Advice
}

// Advices lists what all known codes mean. The first row that holds a code
// counts.
func Advices() []CodeAdvice { return slices.Clone(advices) }

// advices is what Advices gives. Meta: error codes.
var advices = []CodeAdvice{
	{0, 0, stop(cureToken)},
	{190, 190, stop(cureToken)},
	{104, 104, stop(cureToken)},
	{1, 1, retryTwice},
	{2, 2, retrySoon},
	{3, 3, stop(cureAccess)},
	{10, 10, stop(cureAccess)},
	{200, 299, stop(cureAccess)},
	{131005, 131005, stop(cureAccess)},
	{4, 4, slowALot},
	{17, 17, slowALot},
	{80007, 80007, slowALot},
	{33, 33, stop(cureNumber)},
	{803, 803, stop(cureNumber)},
	{100, 100, reportBug}, // but see subcode 33
	{368, 368, stop(cureAccount)},

	{130403, 130403, never}, // the business blocked the person
	{130429, 130429, slowDown},
	{130472, 130472, never}, // the person is in an experiment
	{130497, 130497, never}, // country

	{131000, 131000, retrySoon},
	{131008, 131009, reportBug},
	{131016, 131016, Advice{Action: BackOff, Delay: 5 * time.Second, Factor: 4}},
	{131021, 131021, never},                           // to oneself
	{CodeUndeliverable, CodeUndeliverable, retryOnce}, // undeliverable; seen to be wrong at times
	{CodeNotAllowed, CodeNotAllowed, giveUp(cureTest)},
	{131031, 131031, stop(cureAccount)},
	{131037, 131037, stop(cureName)},
	{131042, 131042, stop(curePayment)},
	{131045, 131045, stop(cureSignup)},
	{CodeWindowClosed, CodeWindowClosed, Advice{Action: NeedTemplate, Cure: "The person has not written for 24 hours: send a template, or wait until they do."}},
	{131048, 131048, Advice{Action: BackOff, Delay: 2 * time.Hour, Cure: curePolicy}},
	{131049, 131051, never}, // ecosystem, marketing stopped, type not supported
	{131052, 131053, giveUp(cureMedia)},
	{131055, 131055, never}, // marketing only
	{131056, 131056, Advice{Action: Pace, Delay: time.Second, Factor: 4}}, // Meta: 4^X seconds
	{131057, 131057, maintained},
	{131060, 131060, never}, // inbound only
	{131062, 131062, giveUp(cureUserID)},
	{131063, 131063, never}, // marketing only
	{131064, 131064, giveUp(curePolicy)},

	{132068, 132068, giveUp(cureFlow)},
	{132069, 132069, slowALot}, // flow throttled
	{132000, 132999, giveUp(cureFlow)},
	{133004, 133004, retrySoon},
	{133000, 133999, stop(cureSignup)},
	{134011, 134011, stop(cureTerms)},
	{134100, 134102, never}, // marketing only
	{135000, 135000, reportBug},
	{139102, 139102, retryOnce}, // blocklist only
	{147001, 147004, never},     // usernames only
	{2494100, 2494100, maintained},
	{2388000, 2388999, giveUp(cureFlow)},
	{2593107, 2593108, never}, // contact sync only
}

// Advise says what to do about an error of [Client.Send], or about the
// [Failure] of a status, for the same codes come in both ways. nil gets the
// zero Advice. An error that is not of this package gets Settle.
func Advise(err error) Advice {
	var (
		refused *Error
		failure Failure
		unsent  *Unsent
		unclear *Unclear
	)
	switch {
	case err == nil:
		return Advice{}
	case errors.As(err, &unclear): // may hold an Error that is not Meta's
		return settle
	case errors.Is(err, ErrAddress), errors.Is(err, ErrPayload):
		return reportBug
	case errors.As(err, &unsent):
		return Advice{Action: Retry, Delay: time.Second, Factor: 2}
	case errors.As(err, &failure) && failure.Code == 0: // without a code it says nothing of the token
		return never
	case errors.As(err, &failure):
		return adviseCode(failure.Code, never)
	case errors.As(err, &refused):
		return refused.advise()
	}
	return settle
}

func (e *Error) advise() Advice {
	var a Advice
	switch {
	case !e.isMeta():
		a = adviseStatus(e.Status)
	case e.Code == 100 && e.Subcode == 33:
		a = stop(cureNumber)
	case e.Transient:
		a = adviseCode(e.Code, retrySoon)
	default:
		a = adviseCode(e.Code, adviseStatus(e.Status))
	}
	if a.Action != Never && a.Action != Stop {
		a.Delay = max(a.Delay, e.RetryAfter)
	}
	return a
}

func adviseCode(code int, unknown Advice) Advice {
	for _, row := range advices {
		if row.From <= code && code <= row.To {
			return row.Advice
		}
	}
	return unknown
}

// adviseStatus is for refusals whose code says nothing.
func adviseStatus(status int) Advice {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return stop(cureAccess)
	case status < 400, status == http.StatusNotFound:
		return stop("What answered is not Meta's API: check the address and version that are set for it.")
	case status == http.StatusTooManyRequests:
		return slowDown
	case status == http.StatusRequestTimeout, status >= 500:
		return retrySoon
	}
	return never
}
