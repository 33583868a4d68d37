package engine

// Act is one thing a bot does. The acts of this package are all there are.
type Act interface{ act() }

// Say is a text to the user. It may hold Markdown.
type Say struct{ Text string }

// Buttons asks the user to choose by tapping.
type Buttons struct {
	Body    string   `json:"body"`
	Footer  string   `json:"footer,omitempty"`
	Buttons []Button `json:"buttons"`
}

// Button is one choice. The user's answer carries both fields.
type Button struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// List asks the user to choose from a menu that opens on a tap.
type List struct {
	Header string `json:"header,omitempty"`
	Body   string `json:"body"`
	Footer string `json:"footer,omitempty"`
	// Button is the text that opens the menu.
	Button   string    `json:"buttonText"`
	Sections []Section `json:"sections"`
}

// Section is a part of a list. Its title may be empty in a list of one.
type Section struct {
	Title string `json:"title"`
	Rows  []Row  `json:"rows"`
}

// Row is one choice of a list. The user's answer carries ID and Title.
type Row struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

// AskLocation asks the user to share where they are.
type AskLocation struct {
	Prompt string `json:"prompt"`
	// Button is a text for channels that let the bot choose it; may be empty.
	Button string `json:"buttonText,omitempty"`
}

// ShareLocation shows a place on a map.
type ShareLocation struct {
	// Latitude and Longitude are degrees.
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Progress tells the user at once that work goes on. It is not part of the
// answer.
type Progress struct {
	Text string `json:"progress"`
}

// NewConversation ends the session after this turn, as the user wished.
type NewConversation struct{}

// Delta is a piece of a text while it is being written. It only informs: Say
// follows with the whole text.
type Delta struct{ Text string }

// Called tells the history about a function call. The act that the function
// stands for has been yielded before it, unless Result says otherwise.
type Called struct{ Call Call }

// Remember replaces what the engine wants back with the next turn.
type Remember struct{ Memory []byte }

// Used counts tokens that the turn cost. It may come several times; the sum
// counts.
type Used struct{ Tokens int }

// Ended says that something other than the engine's own decision ended the
// turn. A turn without it simply was complete.
type Ended struct{ Reason EndReason }

// EndReason is why a turn was cut off.
type EndReason string

const (
	// EndLength means that the answer reached the model's output limit.
	EndLength EndReason = "length"
	// EndIteration means that the model went on calling functions.
	EndIteration EndReason = "iteration"
)

func (Say) act()             {}
func (Buttons) act()         {}
func (List) act()            {}
func (AskLocation) act()     {}
func (ShareLocation) act()   {}
func (Progress) act()        {}
func (NewConversation) act() {}
func (Delta) act()           {}
func (Called) act()          {}
func (Remember) act()        {}
func (Used) act()            {}
func (Ended) act()           {}
