package events_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/events"
)

var golden = flag.Bool("golden", false, "write encodings that testdata/golden does not have yet")

// sample fills every field of a fact with a value that depends on its place.
func sample(fact events.Event) events.Event {
	v := reflect.New(reflect.TypeOf(fact)).Elem()
	n := 0
	fill(v, &n)
	return v.Interface().(events.Event)
}

func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d é😀", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) * 1_000_003)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	default:
		panic("no sample for " + v.Type().String())
	}
}

// Every encoding that was ever released stands in testdata/golden and decodes
// to the same fact for ever. A fact that gains a field gains a file
// ("Name.2.msgpack"); no file is ever changed.
func TestGoldenEncodings(t *testing.T) {
	for name, zero := range events.Types() {
		t.Run(name, func(t *testing.T) {
			want := sample(zero)
			encoded, err := events.Encode(want)
			if err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join("testdata", "golden", name+".*msgpack"))
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(files)
			current := false
			for _, file := range files {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := events.Decode(name, data); err != nil {
					t.Errorf("%s does not decode any more: %v", file, err)
				}
				current = current || bytes.Equal(data, encoded)
			}
			if !current && *golden {
				file := filepath.Join("testdata", "golden", fmt.Sprintf("%s.%d.msgpack", name, len(files)+1))
				if err := os.WriteFile(file, encoded, 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !current {
				t.Fatalf("the encoding of %s is not among %v: if it was meant to change, run with -golden", name, files)
			}
			got, err := events.Decode(name, encoded)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("the fact does not survive a round trip: %s", diff)
			}
		})
	}
}

func TestGoldenFilesAllHaveAFact(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.msgpack")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		if _, ok := events.Types()[name]; !ok {
			t.Errorf("%s: the fact %s was released and is gone", file, name)
		}
	}
}

func TestUnknownTypesSurviveARoundTrip(t *testing.T) {
	data := []byte{0x81, 0xa1, 'x', 0x01, 0xff, 0x00}
	fact, err := events.Decode("SomethingNewer", data)
	if err != nil {
		t.Fatal(err)
	}
	if fact.EventType() != "SomethingNewer" {
		t.Errorf("type = %q", fact.EventType())
	}
	again, err := events.Encode(fact)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("encoded to %x, %v; want %x", again, err, data)
	}
}

func TestFieldsOfANewerVersionArePassedOver(t *testing.T) {
	// {"id":"t","zz":[1,2]}: TokenRevoked with a field that is not ours.
	fact, err := events.Decode("TokenRevoked", []byte("\x82\xa2id\xa1t\xa2zz\x92\x01\x02"))
	if diff := cmp.Diff(events.Event(events.TokenRevoked{Token: "t"}), fact); err != nil || diff != "" {
		t.Fatalf("%v %s", err, diff)
	}
}

func TestDamagedDataIsAnError(t *testing.T) {
	for _, data := range [][]byte{nil, {0xc1}, []byte("\x81\xa2id"), []byte("\x81\xa2id\x01")} {
		if fact, err := events.Decode("TokenRevoked", data); err == nil {
			t.Errorf("%x decoded to %v", data, fact)
		}
	}
}

func TestEveryFieldHasAShortKey(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(t *testing.T, typ reflect.Type)
	check = func(t *testing.T, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		keys := map[string]string{}
		for i := range typ.NumField() {
			f := typ.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("msgpack"), ",")
			switch {
			case f.Anonymous:
			case key == "" || len(key) > 2:
				t.Errorf("%s.%s has the key %q; it needs one or two letters", typ, f.Name, key)
			case keys[key] != "":
				t.Errorf("%s.%s and %s share the key %q", typ, f.Name, keys[key], key)
			}
			keys[key] = f.Name
			check(t, f.Type)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(events.Types())) {
		check(t, reflect.TypeOf(events.Types()[name]))
	}
}

func FuzzDecode(f *testing.F) {
	for name, zero := range events.Types() {
		data, err := events.Encode(sample(zero))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, data)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		fact, err := events.Decode(name, data)
		if err != nil {
			return
		}
		encoded, err := events.Encode(fact)
		if err != nil {
			t.Fatalf("%s decodes and does not encode: %v", name, err)
		}
		again, err := events.Decode(name, encoded)
		if err != nil {
			t.Fatalf("%s does not decode what it encoded: %v", name, err)
		}
		// No bytes and no bytes at all are the same, and so are two that are no number.
		if diff := cmp.Diff(fact, again, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("%s changes in a round trip: %s", name, diff)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	fact := sample(events.MessageReceived{})
	for b.Loop() {
		if _, err := events.Encode(fact); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	data, err := events.Encode(sample(events.MessageReceived{}))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := events.Decode("MessageReceived", data); err != nil {
			b.Fatal(err)
		}
	}
}
