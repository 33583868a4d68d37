package cluster

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"parley/actors"
	"parley/domain"
)

// wire knows the types that travel between nodes, by name. Nodes of different
// versions may know different ones: what a node does not know it leaves to
// others, and goes on.
type wire struct {
	types map[string]reflect.Type
	names map[reflect.Type]string
}

// newWire makes a wire for the messages of some kinds. A type's name is its
// package and its own, for example "bot.Create"; no two may share one.
func newWire(kinds []actors.Kind) (*wire, error) {
	w := &wire{types: map[string]reflect.Type{}, names: map[reflect.Type]string{}}
	samples := []any{actors.Wake{}, "", false}
	for _, k := range kinds {
		samples = append(samples, k.Messages...)
	}
	for _, s := range samples {
		t := reflect.TypeOf(s)
		if known, ok := w.types[t.String()]; ok && known != t {
			return nil, fmt.Errorf("two types are called %s", t)
		}
		if field := hidden(t, map[reflect.Type]bool{}); field != "" {
			return nil, fmt.Errorf("%s would lose its field %s on the way", t, field)
		}
		w.types[t.String()], w.names[t] = t, t.String()
	}
	return w, nil
}

// hidden gives a field of a type that msgpack would leave out without a word,
// or "".
func hidden(t reflect.Type, seen map[reflect.Type]bool) string {
	if seen[t] || t.Implements(reflect.TypeFor[encoding.BinaryMarshaler]()) || t.Implements(reflect.TypeFor[msgpack.CustomEncoder]()) {
		return ""
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return hidden(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if !f.IsExported() && !f.Anonymous {
				return f.Name
			}
			if inner := hidden(f.Type, seen); inner != "" {
				return f.Name + "." + inner
			}
		}
	}
	return ""
}

// parcel is a value on its way: the name of its type, and its msgpack.
type parcel struct {
	Type string `msgpack:"t"`
	Data []byte `msgpack:"d"`
}

// pack makes a parcel. Nothing is an empty one.
func (w *wire) pack(value any) (parcel, error) {
	if value == nil {
		return parcel{}, nil
	}
	name, ok := w.names[reflect.TypeOf(value)]
	if !ok {
		return parcel{}, fmt.Errorf("%T does not travel between nodes", value)
	}
	data, err := msgpack.Marshal(value)
	if err != nil {
		return parcel{}, fmt.Errorf("encode %s: %w", name, err)
	}
	return parcel{Type: name, Data: data}, nil
}

// unpack undoes pack.
func (w *wire) unpack(p parcel) (any, error) {
	if p.Type == "" {
		return nil, nil
	}
	t, ok := w.types[p.Type]
	if !ok {
		return nil, fmt.Errorf("%w: %q is not known", actors.ErrNewer, p.Type)
	}
	v := reflect.New(t)
	if err := unmarshal(p.Data, v.Interface()); err != nil {
		return nil, fmt.Errorf("decode %s: %w", p.Type, err)
	}
	return v.Elem().Interface(), nil
}

// question is a request between nodes. Body is the command's, or what is asked.
type question struct {
	To domain.Address `msgpack:"to"`
	// Node is the member that is asked. Another may have its address by now, even
	// one of another cluster. "" is whoever is there, as older versions ask.
	Node    string `msgpack:"no,omitempty"`
	Command bool   `msgpack:"cm,omitempty"`
	ID      string `msgpack:"id,omitempty"`
	At      int64  `msgpack:"at,omitempty"`
	Account string `msgpack:"ac,omitempty"`
	// Correlation and Causation are the command's.
	Correlation string `msgpack:"cr,omitempty"`
	Causation   string `msgpack:"ca,omitempty"`
	Body        parcel `msgpack:"bo"`
	// Insist asks the receiver to answer although it is not the owner by its own
	// view: the sender cannot reach whoever is.
	Insist bool `msgpack:"in,omitempty"`
}

// outcome says what came of a question.
type outcome string

// The outcomes. After elsewhere, leaving, unfit and newer another node may
// answer.
const (
	answered    outcome = ""
	refused     outcome = "refused"
	unavailable outcome = "unavailable"
	busy        outcome = "busy"
	elsewhere   outcome = "elsewhere"
	leaving     outcome = "leaving"
	unfit       outcome = "unfit"
	newer       outcome = "newer"
)

// reply is the answer to a question.
type reply struct {
	Outcome  outcome       `msgpack:"o,omitempty"`
	Refusal  *domain.Error `msgpack:"r,omitempty"`
	Detail   string        `msgpack:"d,omitempty"`
	Revision int64         `msgpack:"v"`
	Position uint64        `msgpack:"p,omitempty"`
	Answer   parcel        `msgpack:"a"`
}

// codec lets gRPC carry our frames as msgpack.
type codec struct{}

// Marshal implements encoding.Codec.
func (codec) Marshal(v any) ([]byte, error) { return msgpack.Marshal(v) }

// Unmarshal implements encoding.Codec.
func (codec) Unmarshal(data []byte, v any) error { return unmarshal(data, v) }

// Name implements encoding.Codec.
func (codec) Name() string { return "msgpack" }

// maxDepth bounds how deep lists and maps lie in each other. Ours are far below.
const maxDepth = 100

var errDeep = errors.New("it lies too deep")

// unmarshal reads msgpack that another process wrote. The library passes over
// what it does not know by calling itself: without a bound, one frame could take
// the whole stack, which ends the process.
func unmarshal(data []byte, v any) error {
	if err := shallow(msgpack.NewDecoder(bytes.NewReader(data)), maxDepth); err != nil {
		return err
	}
	return msgpack.Unmarshal(data, v)
}

// shallow passes over a value, and refuses one in which too much lies in each
// other.
func shallow(d *msgpack.Decoder, left int) error {
	code, err := d.PeekCode()
	if err != nil {
		return err
	}
	var inside int
	switch {
	case msgpcode.IsFixedArray(code), code == msgpcode.Array16, code == msgpcode.Array32:
		inside, err = d.DecodeArrayLen()
	case msgpcode.IsFixedMap(code), code == msgpcode.Map16, code == msgpcode.Map32:
		inside, err = d.DecodeMapLen()
		inside *= 2
	default:
		return d.Skip()
	}
	if left == 0 {
		return errDeep
	}
	for ; inside > 0 && err == nil; inside-- {
		err = shallow(d, left-1)
	}
	return err
}

// detour writes a frame down and reads it again.
func detour(from, to any) error {
	data, err := codec{}.Marshal(from)
	if err != nil {
		return err
	}
	return codec{}.Unmarshal(data, to)
}
