package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of what users may store. Spec: "Limits".
const (
	MaxAlias       = 128      // characters
	MaxName        = 1024     // characters
	MaxDescription = 65535    // characters
	MaxMeta        = 64 << 10 // bytes, encoded
)

// CheckText refuses a text that is longer than limit characters, is not valid
// UTF-8 or holds a NUL.
func CheckText(field, text string, limit int) error {
	switch {
	case utf8.RuneCountInString(text) > limit:
		return Refused(Invalid, field, fmt.Sprintf("%q is longer than %d characters", field, limit))
	case !utf8.ValidString(text):
		return Refused(Invalid, field, fmt.Sprintf("%q is not valid UTF-8", field))
	case strings.ContainsRune(text, 0):
		return Refused(Invalid, field, fmt.Sprintf("%q contains a NUL character", field))
	}
	return nil
}

// CheckAlias refuses an alias that is not of lower-case letters, digits, "_"
// and "-". The empty alias means none and is fine.
func CheckAlias(alias string) error {
	if len(alias) > MaxAlias {
		return Refused(Invalid, "alias", fmt.Sprintf(`"alias" is longer than %d characters`, MaxAlias))
	}
	for _, r := range alias {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return Refused(Invalid, "alias", `"alias" may only have lower-case letters, digits, "_" and "-"`)
		}
	}
	return nil
}

// Private is the visibility of what names none.
const Private = "private"

// CheckVisibility refuses what is not one of the three visibilities.
func CheckVisibility(visibility string) error {
	switch visibility {
	case Private, "protected", "public":
		return nil
	}
	return Refused(Invalid, "visibility",
		fmt.Sprintf(`"visibility" must be private, protected or public, not %q`, visibility))
}

// MergeMeta gives the JSON object that results from setting the top-level keys
// of change in old; others stay. Both may be empty. A key "$update" holds a
// change of its own and is not stored. Keys that start with "_" are refused,
// keys that start with another sign are dropped. Spec: "IDs, times, alias, meta".
func MergeMeta(old, change []byte) ([]byte, error) {
	if len(change) == 0 {
		return old, nil
	}
	merged := map[string]json.RawMessage{}
	if len(old) > 0 {
		if err := json.Unmarshal(old, &merged); err != nil {
			return nil, fmt.Errorf("read stored meta: %w", err)
		}
	}
	if err := mergeInto(merged, change, true); err != nil {
		return nil, err
	}
	out, err := json.Marshal(merged)
	if err != nil {
		return nil, fmt.Errorf("encode meta: %w", err)
	}
	if len(out) > MaxMeta {
		return nil, Refused(Invalid, "meta", fmt.Sprintf(`"meta" is larger than %d bytes`, MaxMeta))
	}
	return out, nil
}

func mergeInto(merged map[string]json.RawMessage, change []byte, top bool) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(change, &keys); err != nil || keys == nil {
		return Refused(Invalid, "meta", `"meta" must be an object`)
	}
	for key, value := range keys {
		switch {
		case top && key == "$update":
			if err := mergeInto(merged, value, false); err != nil {
				return err
			}
		case strings.HasPrefix(key, "_"):
			return Refused(Invalid, "meta", fmt.Sprintf(`"meta.%s": keys that start with "_" are reserved`, key))
		case isWord(key):
			plain, err := plainJSON(value)
			if err != nil {
				return Refused(Invalid, "meta", fmt.Sprintf(`"meta.%s" has a number that no client can hold`, key))
			}
			merged[key] = plain
		}
	}
	return nil
}

// plainJSON gives a JSON value in a form that every client can read: one that
// cannot would fail on each list that shows it. Unpaired surrogates and what is
// not UTF-8 are replaced; a number beyond the range of doubles is an error.
func plainJSON(value json.RawMessage) (json.RawMessage, error) {
	var whole any
	if err := json.Unmarshal(value, &whole); err != nil {
		return nil, err
	}
	if utf8.Valid(value) && !bytes.Contains(bytes.ToLower(value), []byte(`\ud`)) {
		return value, nil
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		return nil, err
	}
	return json.Marshal(whole)
}

// isWord reports that a key starts with a letter or digit of any script.
func isWord(key string) bool {
	r, _ := utf8.DecodeRuneInString(key)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}
