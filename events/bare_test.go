package events_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/events"
)

const erased = "the erased session"

// personal fills a fact with texts that name their fields, all of it of one
// session.
func personal(fact events.Event) events.Event {
	v := reflect.New(reflect.TypeOf(fact)).Elem()
	fillWith(v, reflect.TypeOf(fact).Name())
	return v.Interface().(events.Event)
}

func fillWith(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("<" + path + ">")
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			fillWith(v.Field(i), v.Type().Name()+"."+name)
			if name == "Session" && v.Field(i).Kind() == reflect.String || v.Type() == reflect.TypeFor[events.Session]() && name == "ID" {
				v.Field(i).SetString(erased)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillWith(v.Elem(), path)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte("<" + path + ">"))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillWith(v.Index(0), path)
	}
}

// keptWhenBare names every field of text that is in a bare fact still. One that
// is new has to be named here, or left out of bare facts.
var keptWhenBare = strings.Fields(`
Ask.Message Ask.Timezone Ask.Turn Attachment.Hash Attachment.ID Attachment.Type AttachmentFailed.Kind AttachmentFailed.Message
AttachmentStored.Message AttachmentUploaded.Ticket Call.ID Carried.Baring Carried.Collect Carried.Erased Carried.Reach
ContactLinked.Contact EchoReceived.Kind EchoReceived.Message EchoReceived.WAMID FetchDelayed.Message Initiated.Key Media.ID
Media.Type MessageChanges.Type MessageReceived.From MessageReceived.Kind MessageReceived.Message MessageReceived.UserID
MessageReceived.WAMID MessageRewritten.Message MessageStruck.Message MessageWritten.Message MessageWritten.Type
NotificationReceived.Fields OpenFetch.Kind OpenFetch.Message OpenPart.Behind OpenTurn.ID Part.ID Part.Message
PartAbandoned.Message PartAbandoned.Part PartAbandoned.Reason PartSent.Message PartSent.Part PartSent.To PartSent.WAMID
Person.Phone Person.UserID ProgressReported.Turn SendRefused.Message SendRefused.Part SendUnclear.Message SendUnclear.Part
SentPart.Message SentPart.Part SentPart.Status Session.BlueprintID Session.BotID Session.Contact Session.Model
SessionChanges.BotID SessionChanges.ContactID SessionChanges.Model SessionReset.Command SessionReset.WAMID StatusReceived.Message
StatusReceived.Part StatusReceived.Status StatusReceived.WAMID TurnAnswered.BotID TurnAnswered.End TurnAnswered.Model
TurnAnswered.Turn TurnClosed.Messages TurnClosed.Reason TurnClosed.Turn TurnDelayed.Turn TurnMessage.ID TurnStarted.Messages
TurnStarted.Turn Waiting.Message
`)

func TestBareFactsHoldNoWords(t *testing.T) { // A20
	var kept []string
	for _, name := range slices.Sorted(maps.Keys(events.Types())) {
		fact := personal(events.Types()[name])
		if _, ok := fact.(events.InSession); !ok && name != "SessionContinued" && name != "NotificationReceived" {
			continue
		}
		was, err := events.Encode(fact)
		if err != nil {
			t.Fatal(err)
		}
		bare := events.Bare(fact, erased)
		is, err := events.Encode(bare)
		if err != nil {
			t.Fatal(err)
		}
		if len(is) > len(was) {
			t.Errorf("%s is longer when it is bare", name)
		}
		if diff := cmp.Diff(bare, events.Bare(bare, erased)); diff != "" {
			t.Errorf("%s is not bare yet: %s", name, diff)
		}
		for rest := string(is); ; {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			path, after, _ := strings.Cut(after, ">")
			kept, rest = append(kept, path), after
		}
		decoded, err := events.Decode(name, append(is, make([]byte, len(was)-len(is))...))
		if diff := cmp.Diff(bare, decoded); err != nil || diff != "" {
			t.Errorf("with zeros behind it %s reads as another fact: %v %s", name, err, diff)
		}
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	if diff := cmp.Diff(keptWhenBare, kept); diff != "" {
		t.Errorf("what is kept (-known +found): %s", diff)
	}
}
