package http

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"parley/domain"
	"parley/events"
)

// maxDepth bounds how deep JSON may nest: what is stored deeper could break
// clients with recursive decoders. Spec: "Limits".
const maxDepth = 64

// body is a request's JSON object, whose fields are taken one by one. The
// first thing that is wrong with any of them is kept for done.
type body struct {
	fields map[string]json.RawMessage
	err    error
}

// readBody reads the request's JSON object. optional lets it be missing.
func readBody(c *fiber.Ctx, optional bool) (*body, error) {
	raw := bytes.TrimSpace(c.Body())
	if len(raw) == 0 && optional {
		return &body{}, nil
	}
	media, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	if !strings.EqualFold(strings.TrimSpace(media), fiber.MIMEApplicationJSON) {
		return nil, invalid("The content type must be application/json")
	}
	if tooDeep(raw) {
		return nil, invalid(fmt.Sprintf("The JSON nests deeper than %d levels", maxDepth))
	}
	b := &body{}
	if err := json.Unmarshal(raw, &b.fields); err != nil || b.fields == nil {
		return nil, invalid("The body must be a JSON object")
	}
	return b, nil
}

// tooDeep looks at the brackets outside of strings, before anything recurses.
func tooDeep(raw []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch ch := raw[i]; {
		case inString && ch == '\\':
			i++
		case ch == '"':
			inString = !inString
		case inString:
		case ch == '{' || ch == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case ch == '}' || ch == ']':
			depth--
		}
	}
	return false
}

// take removes a field and gives its value; ok is false when it is missing.
func (b *body) take(name string) (raw json.RawMessage, ok bool) {
	raw, ok = b.fields[name]
	delete(b.fields, name)
	return raw, ok
}

func (b *body) wrong(name, what string) {
	if b.err == nil {
		b.err = invalid(fmt.Sprintf("%q must be %s", name, what))
	}
}

// text takes a string; null counts as "".
func (b *body) text(name string) domain.Opt[string] {
	raw, ok := b.take(name)
	if !ok {
		return domain.Opt[string]{}
	}
	var value string
	if err := json.Unmarshal(raw, &value); err != nil {
		b.wrong(name, "a string")
	}
	return domain.Some(value)
}

// textOrNull takes a string and keeps null apart from "".
func (b *body) textOrNull(name string) domain.Opt[*string] {
	raw, ok := b.take(name)
	if !ok {
		return domain.Opt[*string]{}
	}
	var value *string
	if err := json.Unmarshal(raw, &value); err != nil {
		b.wrong(name, "a string or null")
	}
	return domain.Some(value)
}

// flag takes a boolean, also as the strings "true" and "false".
func (b *body) flag(name string) domain.Opt[bool] {
	raw, ok := b.take(name)
	if !ok {
		return domain.Opt[bool]{}
	}
	switch string(raw) {
	case "true", `"true"`:
		return domain.Some(true)
	case "false", `"false"`:
		return domain.Some(false)
	}
	b.wrong(name, "true or false")
	return domain.Opt[bool]{}
}

// integerOrNull takes a whole number, also as a string.
func (b *body) integerOrNull(name string) domain.Opt[*int64] {
	raw, ok := b.take(name)
	if !ok {
		return domain.Opt[*int64]{}
	}
	text := strings.TrimSpace(strings.Trim(string(raw), `"`))
	if text == "null" {
		return domain.Some[*int64](nil)
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || value != float64(int64(value)) || strings.ContainsAny(text, "xXpPnN_") {
		b.wrong(name, "a whole number")
		return domain.Opt[*int64]{}
	}
	n := int64(value)
	return domain.Some(&n)
}

// lastMillisecond is the last one of the year 9999.
const lastMillisecond = 253_402_300_799_999

// instant takes a time in milliseconds since 1970; null counts as 0.
func (b *body) instant(name string) domain.Opt[events.Instant] {
	n := b.integerOrNull(name)
	switch {
	case !n.Set:
		return domain.Opt[events.Instant]{}
	case n.Value == nil:
		return domain.Some[events.Instant](0)
	case *n.Value < 0 || *n.Value > lastMillisecond:
		b.wrong(name, "a time in milliseconds since 1970")
	}
	return domain.Some(events.At(time.UnixMilli(*n.Value)))
}

// object takes a JSON object as it is; null counts as missing.
func (b *body) object(name string) []byte {
	raw, ok := b.take(name)
	if !ok || string(raw) == "null" {
		return nil
	}
	if !bytes.HasPrefix(raw, []byte("{")) {
		b.wrong(name, "an object")
		return nil
	}
	return raw
}

// objects takes a list of JSON objects, each to be taken apart by read; what is
// wrong with one is told with its place. Missing and null are an empty list.
func (b *body) objects(name string, read func(element *body)) {
	raw, ok := b.take(name)
	if !ok || string(raw) == "null" {
		return
	}
	var elements []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		b.wrong(name, "a list of objects")
	}
	for i, fields := range elements {
		element := &body{fields: fields}
		read(element)
		if err := element.done(); err != nil && b.err == nil {
			b.err = invalid(fmt.Sprintf("%s[%d]: %s", name, i, err))
		}
	}
}

// done tells the first thing that was wrong, or that a field is not known.
func (b *body) done() error {
	if b.err != nil {
		return b.err
	}
	unknown := make([]string, 0, len(b.fields))
	for name := range b.fields {
		unknown = append(unknown, name)
	}
	if len(unknown) == 0 {
		return nil
	}
	return invalid(fmt.Sprintf("%q is not allowed", slices.Min(unknown)))
}
