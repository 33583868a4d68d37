package whatsapp

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Number is a number as it stood in the JSON, whether bare or in quotes, for
// example "37.7749". It is kept as text so that prices and coordinates stay
// exact. Invariant: it is "" or a valid JSON number.
type Number string

// UnmarshalJSON takes a number or a string that holds one; everything else
// becomes "". It never fails: an error here would end the decoding of the
// whole message.
func (n *Number) UnmarshalJSON(raw []byte) error {
	*n = ""
	text := bytes.Trim(raw, `"`)
	if len(text) > 0 && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid(text) {
		*n = Number(text)
	}
	return nil
}

// MarshalJSON writes it bare, and null for none.
func (n Number) MarshalJSON() ([]byte, error) {
	if n == "" {
		return []byte("null"), nil
	}
	return []byte(n), nil
}

// Int is the number if it is a whole one that fits, or 0.
func (n Number) Int() int {
	i, err := strconv.Atoi(string(n))
	if err != nil {
		return 0
	}
	return i
}

// label is a string that may be written as a number. Unlike with decode, what
// stands beside it is not touched.
type label string

// UnmarshalJSON takes a string or a number; everything else becomes "". It
// never fails.
func (l *label) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) { // nearly always
		*l = label(raw[1 : len(raw)-1])
		return nil
	}
	var n Number
	if err := json.Unmarshal(raw, (*string)(l)); err != nil && n.UnmarshalJSON(raw) == nil {
		*l = label(n)
	}
	return nil
}

// endOfTime is the last second that can be written as RFC 3339.
const endOfTime = 253402300799

// Time reads unix seconds. It is the zero time when there are none or they
// lie outside the years 1970 to 9999.
func (n Number) Time() time.Time {
	seconds := n.Int()
	if seconds <= 0 || seconds > endOfTime {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// decode fills v as far as raw fits it, and says what did not.
//
// Meta writes some identifiers as strings in one place and as numbers in
// another. The first try expects strings; only if that fails, all numbers are
// put in quotes and it tries again. Hence v uses string and Number, and no Go
// number type.
func decode(raw []byte, v any) error {
	if err := json.Unmarshal(raw, v); err == nil {
		return nil
	}
	err := json.Unmarshal(quoteNumbers(raw), v)
	if mismatch := (*json.UnmarshalTypeError)(nil); errors.As(err, &mismatch) {
		return errors.New(strings.TrimSpace(mismatch.Field + " has the wrong type: " + mismatch.Value))
	}
	return err
}

// quoteNumbers puts every number of a valid JSON text in quotes.
func quoteNumbers(raw []byte) []byte {
	quoted := make([]byte, 0, len(raw)+len(raw)/4)
	inString, inNumber := false, false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if number := !inString && strings.IndexByte("+-.0123456789eE", c) >= 0 && (inNumber || c == '-' || c >= '0' && c <= '9'); number != inNumber {
			quoted = append(quoted, '"')
			inNumber = number
		}
		quoted = append(quoted, c)
		switch {
		case inString && c == '\\' && i+1 < len(raw):
			i++
			quoted = append(quoted, raw[i])
		case c == '"':
			inString = !inString
		}
	}
	if inNumber {
		quoted = append(quoted, '"')
	}
	return quoted
}

// deeper reports that objects and arrays are nested deeper than limit. It
// reads the bytes once and needs neither stack nor memory.
func deeper(body []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString:
			if c == '\\' {
				i++
			} else if c == '"' {
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// isObject reports that raw, a JSON value, is an object.
func isObject(raw []byte) bool {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	return len(raw) > 0 && raw[0] == '{'
}
