package conversation

// Question asks for an answer that is stored nowhere.
type Question struct {
	// Model may be empty, and Backstory and Timezone, too.
	Model, Backstory string
	// Timezone is the IANA name of whoever asks.
	Timezone string
	// History ends with what is to be answered.
	History []Entry
}

// Unanswered is the error of an answer that did not come about. TurnClosed
// tells the same of a turn.
type Unanswered struct {
	// Reason is one of the words below. Detail is for a person, and may hold
	// what the model's server said.
	Reason, Detail string
}

// Error tells both.
func (u *Unanswered) Error() string { return u.Reason + ": " + u.Detail }

// The words for why a turn has no answer.
const (
	// NoBot: there is nobody to answer. NotConfigured: something is missing,
	// which Detail names, in words for whoever asked.
	NoBot         = "no_bot"
	NotConfigured = "not_configured"
	// EngineInvalid: the model or script is to blame, which Detail tells in our
	// own words.
	EngineInvalid = "engine_invalid"
	// EngineFailed: the engine failed, and would again. EngineBusy: it may be
	// better soon. EngineLate: it took too long.
	EngineFailed = "engine_failed"
	EngineBusy   = "engine_unavailable"
	EngineLate   = "engine_timeout"
	// Deleted: the session was erased before.
	Deleted = "conversation_deleted"
)
