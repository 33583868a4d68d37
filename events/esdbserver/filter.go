package esdbserver

import (
	"math"
	"regexp"
	"slices"
	"strings"

	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"parley/events"
)

// filter says which events of the log a reader wants.
type filter struct {
	text    func(events.Recorded) string
	matches func(text string) bool
	// window is how many events are considered between two checkpoints.
	window int64
}

// filterOf reads a filter; nil wants everything. Regular expressions are RE2's:
// what only .NET's can say is refused.
func filterOf(o *api.ReadReq_Options_FilterOptions) (*filter, error) {
	if o == nil {
		return nil, nil
	}
	f := &filter{window: window(o)}
	var e *api.ReadReq_Options_FilterOptions_Expression
	switch {
	case o.GetStreamIdentifier() != nil:
		e, f.text = o.GetStreamIdentifier(), func(e events.Recorded) string { return string(e.Stream) }
	case o.GetEventType() != nil:
		e, f.text = o.GetEventType(), func(e events.Recorded) string { return e.Type }
	default:
		return nil, status.Error(codes.InvalidArgument, "the filter names neither streams nor types")
	}
	if prefixes := e.GetPrefix(); len(prefixes) > 0 {
		f.matches = func(text string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
		}
		return f, nil
	}
	expression, err := regexp.Compile(e.GetRegex())
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the filter's regular expression: %v", err)
	}
	f.matches = expression.MatchString
	return f, nil
}

func window(o *api.ReadReq_Options_FilterOptions) int64 {
	size := max(1, int64(o.GetCheckpointIntervalMultiplier()))
	if o.GetMax() == 0 {
		return size
	}
	return min(size*int64(o.GetMax()), math.MaxInt32)
}

// wants reports that an event passes. A nil filter lets everything pass.
func (f *filter) wants(e events.Recorded) bool { return f == nil || f.matches(f.text(e)) }
