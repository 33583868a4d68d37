package file

import (
	"encoding/json"
	"slices"
	"time"

	"parley/domain"
	"parley/events"
)

// Fresh is how long contents are safe in the media store after they were put
// there, although nobody refers to them yet: whoever put them is about to.
const Fresh = 10 * time.Minute

// slack is for clocks that tell times not quite alike.
const slack = time.Minute

// Upload gives the file a content, which stands in the media store already.
//
// A ticket is good for one upload. The same one again changes nothing when it
// brings the same bytes, since the first answer may have been lost, and is
// refused when it brings others.
type Upload struct {
	Content events.Content `msgpack:"co"`
	// Ticket names what allows the upload, "" if it needs nothing. From Until
	// on nobody lets it in any more.
	Ticket string         `msgpack:"tk"`
	Until  events.Instant `msgpack:"un"`
}

// ReportDiscarded says that a content which the file let go was seen to.
type ReportDiscarded struct {
	Hash string `msgpack:"ha"`
}

// Discard is the task of removing a content from the media store, if nobody
// refers to it.
type Discard struct{ Hash string }

// Use is a ticket that was used, and for what.
type Use struct {
	Ticket string
	Hash   string
	Until  events.Instant
}

// Loose is a content that the file let go of. It is not fresh any more at Due.
type Loose struct {
	Hash string
	Due  events.Instant
}

func (s State) upload(at events.Instant, body Upload) ([]events.Event, error) {
	if body.Ticket != "" {
		i := slices.IndexFunc(s.Used, func(u Use) bool { return u.Ticket == body.Ticket })
		switch {
		case i >= 0 && s.Used[i].Hash == body.Content.Hash:
			return nil, nil
		case i >= 0:
			return nil, domain.Refused(domain.Conflict, "", "This upload address has been used already")
		case at > body.Until:
			return nil, domain.Refused(domain.Conflict, "", "This upload address has expired")
		}
	}
	return []events.Event{events.FileUploaded{
		Content: body.Content, Meta: named(s.Settings.Meta, body.Content.Type),
		Ticket: body.Ticket, Until: body.Until, At: at,
	}}, nil
}

// named gives a meta that tells the content's type. One that has no room for it
// stays as it is. Spec: "Files and attachments".
func named(meta []byte, contentType string) []byte {
	change, err := json.Marshal(map[string]string{"contentType": contentType})
	if err != nil {
		return meta
	}
	merged, err := domain.MergeMeta(meta, change)
	if err != nil {
		return meta
	}
	return merged
}

func (s State) discarded(body ReportDiscarded) []events.Event {
	if !slices.ContainsFunc(s.Loose, func(l Loose) bool { return l.Hash == body.Hash }) {
		return nil
	}
	return []events.Event{events.ContentDiscarded{Hash: body.Hash}}
}

func (s State) uploaded(f events.FileUploaded) State {
	if f.Content.Hash != s.Content.Hash {
		s = s.letGo(f.At)
	}
	s = s.tidied(f.Content.Hash) // it is wanted again
	s.Content, s.Settings.Meta, s.UploadedAt = f.Content, f.Meta, f.At
	s.Used = slices.DeleteFunc(slices.Clone(s.Used), func(u Use) bool { return u.Until < f.At })
	if f.Ticket != "" {
		s.Used = append(s.Used, Use{Ticket: f.Ticket, Hash: f.Content.Hash, Until: f.Until})
	}
	return s
}

// letGo says that the content is not needed any more.
func (s State) letGo(at events.Instant) State {
	if s.Content.Hash != "" {
		due := max(at, s.UploadedAt.Add(Fresh+slack))
		s.Loose = append(slices.Clip(s.Loose), Loose{Hash: s.Content.Hash, Due: due})
	}
	return s
}

// tidied forgets a content that was let go.
func (s State) tidied(hash string) State {
	s.Loose = slices.DeleteFunc(slices.Clone(s.Loose), func(l Loose) bool { return l.Hash == hash })
	return s
}

// pending lists what is owed: the discarding of what was let go.
func pending(s State) []domain.Task {
	var tasks []domain.Task
	for _, l := range s.Loose {
		tasks = append(tasks, domain.Task{Lane: discardLane + l.Hash, Due: l.Due, Body: Discard{Hash: l.Hash}})
	}
	return tasks
}

const discardLane = "discard "
