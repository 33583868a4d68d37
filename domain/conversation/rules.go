package conversation

import (
	"time"

	"parley/domain"
	"parley/events"
)

// Rules are the numbers that the decisions depend on. Facts carry the results,
// so changing a rule never changes the past.
type Rules struct {
	// Settle is how long an attempt of unknown outcome waits for a status
	// before the part is given to Meta once more.
	Settle time.Duration
	// Gather is how long a turn waits for further messages after each one,
	// GatherMost how long after the first; 0 is not at all.
	Gather, GatherMost time.Duration
	// Pause is how long the bot leaves a conversation to a person after they
	// wrote in it.
	Pause time.Duration
	// PairEvery and PairBurst are Meta's pair rate: how far apart messages to
	// one person are to be in the long run, and how many may come at once.
	PairEvery time.Duration
	PairBurst int
	// FilePause is how long at most what follows a file waits for the file to
	// be on its way.
	FilePause time.Duration
	// FetchAttempts bounds how often a file is tried to be fetched, and
	// FetchBound how long after it came the last try may begin.
	FetchAttempts int
	FetchBound    time.Duration
	// TurnAttempts bounds how often the engine is asked for one turn, and
	// TurnBound how long after its start the last try may begin.
	TurnAttempts int
	TurnBound    time.Duration
	// Patience is how long after its start a turn that somebody asked for is
	// tried again: they wait for it.
	Patience time.Duration
	// SendAttempts bounds how often one part is given to Meta when Meta
	// refuses it, SendBound how long after its first try; UnclearAttempts
	// bounds the tries whose outcome stays unknown.
	SendAttempts    int
	SendBound       time.Duration
	UnclearAttempts int
	// Remember is how long a wamid is known, against repeated notifications.
	// Meta repeats for 7 days.
	Remember time.Duration
	// SnapshotEvery is how many facts lie at most, roughly, between two that a
	// stream can be loaded from. Conversations that remember much have more.
	SnapshotEvery int
}

// DefaultRules are the rules of a server that is not told otherwise.
func DefaultRules() Rules {
	return Rules{
		Settle:          30 * time.Second,
		Gather:          time.Second,
		GatherMost:      5 * time.Second,
		Pause:           time.Hour,
		PairEvery:       6 * time.Second, // Meta: pair rate limits
		PairBurst:       45,
		FilePause:       3 * time.Second,
		FetchAttempts:   4,
		FetchBound:      2 * time.Minute,
		TurnAttempts:    5,
		TurnBound:       10 * time.Minute,
		Patience:        20 * time.Second,
		SendAttempts:    8,
		SendBound:       domain.Day,
		UnclearAttempts: 2,
		Remember:        10 * domain.Day,
		SnapshotEvery:   256,
	}
}

// The bounds of what a conversation remembers. Together they keep a snapshot
// well below what fits into one append.
const (
	// keepSeen bounds the wamids of Remember's time; a person writes far less.
	keepSeen = 12_000
	// keepSent and keepSentFor bound how long statuses are tied to sent parts.
	keepSent    = 50
	keepSentFor = 3 * domain.Day
	// maxWaiting bounds the messages that wait for a turn. One more is closed
	// at once.
	maxWaiting = 2000
	// maxCollect bounds the sessions whose contact is not stored yet.
	maxCollect = 100
	// startCarries is how many facts since the last snapshot make a new
	// session's first fact one.
	startCarries = 16
)

// New gives the rules as a decider.
func New(r Rules) domain.Decider[State] {
	return domain.Decider[State]{
		Kind: events.ConversationCategory, Messages: messages(),
		Decide:  r.decide,
		Evolve:  r.evolve,
		Route:   route,
		Pending: r.pending,
		Answer:  answer,
	}
}

func route(id string, s State) events.Route {
	r := events.Route{Conversation: s.Session.ID, Bot: s.Session.BotID}
	r.Integration, r.Sender = events.SplitConversationID(id)
	return r
}

func answer(s State, question any) (any, error) {
	switch q := question.(type) {
	case Granted:
		return len(s.Outbox) > 0 && s.Outbox[0].ID == q.Part && s.Outbox[0].Trying, nil
	case TurnState:
		return s.asked(q.Turn), nil
	}
	return nil, domain.Refused(domain.Invalid, "", "conversations do not know this question")
}

func (r Rules) decide(s State, c domain.Command) ([]events.Event, error) {
	d := &draft{rules: r, state: s, at: c.At}
	var err error
	switch body := c.Body.(type) {
	case Receive:
		d.receive(body)
	case Answer:
		err = d.answer(body)
	case Delay:
		err = d.delay(body)
	case Close:
		err = d.close(body)
	case Attempt:
		err = d.attempt(body)
	case GiveUp:
		err = d.giveUp(body)
	case Abandon:
		d.abandon(body)
	case Begin:
		err = d.begin()
	case Progress:
		err = d.progress(body)
	case Initiate:
		d.initiate(body)
	case Open:
		err = d.open(body)
	case Describe:
		err = d.describe(body)
	case Introduce:
		err = d.introduce(body)
	case Write:
		err = d.write(body)
	case Erase:
		err = d.erase(body)
	case ReportBared:
		d.bared(body)
	case ReportCleared:
		d.cleared(body)
	case Rewrite:
		err = d.rewrite(body)
	case Strike:
		err = d.strike(body)
	case Ask:
		err = d.ask(body)
	case Resume:
		d.resume()
	case Attach:
		err = d.attach(body)
	case ReportFetched:
		d.fetched(body)
	case ReportUnfetched:
		d.unfetched(body)
	case ReportContact:
		d.linked(body)
	case SkipContact:
		d.skipContact(body)
	case ReportSent:
		err = d.sent(body)
	case ReportRefused:
		d.refused(body)
		d.startTurn()
	case ReportUnclear:
		d.unclear(body)
		d.startTurn()
	default:
		err = domain.Refused(domain.Invalid, "", "conversations do not know this command")
	}
	if err != nil {
		return nil, err
	}
	return d.facts, nil
}

// draft collects the facts of one decision. Each fact is folded in at once, so
// that the next one is decided from the state that it leads to.
type draft struct {
	rules Rules
	state State
	at    events.Instant
	facts []events.Event
	// notification waits for the one fact that it brought.
	notification *events.NotificationReceived
}

// brought gives the notification to the fact that it stands within.
func (d *draft) brought() *events.NotificationReceived {
	n := d.notification
	d.notification = nil
	return n
}

func (d *draft) record(fact events.Event) {
	d.facts = append(d.facts, fact)
	d.state = d.rules.evolve(d.state, fact)
}

// stale is the refusal for work that is no longer wanted.
func stale(what string) error { return domain.Refused(domain.Stale, "", what) }
