package simulator

import "time"

// Role is a person whose phone number produces one certain behaviour.
type Role struct {
	// Number is the phone number, as digits.
	Number string
	// Name is the person's profile name, Does what happens, for people.
	Name string
	Does string

	// answers are what the first sends to this number get; the last one stays
	// if it is meant to. After them sends are accepted.
	answers []outcome
	forever bool
	// fails is the code with which an accepted message fails later.
	fails int
	// ghost makes their messages appear as a placeholder first.
	ghost bool
	// file is what goes wrong with the files they send.
	file fileFault
}

// outcome is what becomes of one send.
type outcome struct {
	// code refuses with Meta's error.
	code int
	// accepts says that the message is accepted although the answer does not
	// say so.
	accepts bool
	way     way
}

// way is how an answer comes, or fails to.
type way int

const (
	answered  way = iota
	inHTML        // a proxy's error page instead of Meta's answer
	withoutID     // a 200 that does not say which message
	never         // no answer until the caller gives up
	unreached     // no connection; through a socket, one that breaks
)

// Cast lists the people with a certain behaviour. Everybody else is just
// somebody.
func Cast() []Role { return append([]Role(nil), cast...) }

var cast = []Role{
	{Number: "15550000200", Name: "Nora NoID", Does: "the first send is accepted, but the 200 has no message ID", answers: []outcome{{way: withoutID, accepts: true}}},
	{Number: "15550000408", Name: "Tim Out", Does: "the first send is accepted, but the answer never comes", answers: []outcome{{way: never, accepts: true}}},
	{Number: "15550000409", Name: "Lou Lost", Does: "the first send is lost, and no answer comes", answers: []outcome{{way: never}}},
	{Number: "15550000429", Name: "Theo Throttled", Does: "130429 (throughput) twice, then accepted", answers: []outcome{{code: 130429}, {code: 130429}}},
	{Number: "15550000500", Name: "Paula Proxy", Does: "an HTML error page once, and the message is lost", answers: []outcome{{way: inHTML}}},
	{Number: "15550000502", Name: "Pia Proxy", Does: "an HTML error page once, but the message is accepted", answers: []outcome{{way: inHTML, accepts: true}}},
	{Number: "15550000503", Name: "Nick Network", Does: "no connection once, then accepted", answers: []outcome{{way: unreached}}},
	{Number: "15550000131", Name: "Sven Something", Does: "131000 (something went wrong) once, then accepted", answers: []outcome{{code: 131000}}},
	{Number: "15550000190", Name: "Ed Expired", Does: "190 (token expired), always", answers: []outcome{{code: 190}}, forever: true},
	{Number: "15550001026", Name: "Una Undeliverable", Does: "131026 (undeliverable), always", answers: []outcome{{code: 131026}}, forever: true},
	{Number: "15550001030", Name: "Al Allowed", Does: "131030 (not in the allowed list), always", answers: []outcome{{code: 131030}}, forever: true},
	{Number: "15550001042", Name: "Penny Payment", Does: "131042 (payment), always", answers: []outcome{{code: 131042}}, forever: true},
	{Number: "15550001047", Name: "Wim Window", Does: "131047 (24-hour window), always", answers: []outcome{{code: 131047}}, forever: true},
	{Number: "15550001056", Name: "Pat Pair", Does: "131056 (pair rate) once, then accepted", answers: []outcome{{code: 131056}}},
	{Number: "15550001060", Name: "Gail Ghost", Does: "their messages come as unsupported (131060) first, then for good with the same ID", ghost: true},
	{Number: "15550002026", Name: "Fay Fails", Does: "accepted, then failed with 131026", fails: 131026},
	{Number: "15550002047", Name: "Finn Fails", Does: "accepted, then failed with 131047", fails: 131047},
}

// ghostly is how long a placeholder stands alone. Meta: about 200 ms were seen.
const ghostly = 200 * time.Millisecond

func roleOf(person string) Role {
	for _, people := range [][]Role{cast, fileCast} {
		for _, r := range people {
			if r.Number == person {
				return r
			}
		}
	}
	return Role{Number: person, Name: "Sam Tester"}
}

// outcome of the n-th send to a person, from 0 on.
func (r Role) outcome(n int) outcome {
	switch {
	case n < len(r.answers):
		return r.answers[n]
	case r.forever:
		return r.answers[len(r.answers)-1]
	}
	return outcome{accepts: true}
}
