package http

import (
	"bytes"
	"encoding/json"
	"strings"
)

// csvWriter writes a table. Its columns are the fields of the first item; every
// value is quoted, and what is no plain value stands as JSON.
// Spec: "Streams and exports", text/csv.
type csvWriter struct {
	output
	columns []string
}

// field is one field of an item, in the item's order.
type field struct {
	name  string
	value json.RawMessage
}

// tell writes items alone: a table has no place for errors. It breaks off.
func (w *csvWriter) tell(kind string, shown any) error {
	if kind != "item" {
		return nil
	}
	fields, err := fieldsOf(shown)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	if w.columns == nil {
		for _, f := range fields {
			w.columns = append(w.columns, f.name)
		}
		writeCells(&lines, w.columns)
	}
	cells := make([]string, len(w.columns))
	for i, column := range w.columns {
		for _, f := range fields {
			if f.name == column {
				cells[i] = cell(f.value)
			}
		}
	}
	writeCells(&lines, cells)
	return w.write(lines.Bytes())
}

// fieldsOf takes an item apart.
func fieldsOf(shown any) ([]field, error) {
	text, err := json.Marshal(shown)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // the opening brace
		return nil, err
	}
	var fields []field
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		f := field{name: name.(string)}
		if err := d.Decode(&f.value); err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// cell is a JSON value as a table shows it: a text without its quotes, null as
// nothing, and the rest as it is.
func cell(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return harmless(text)
	}
	return string(value)
}

// harmless keeps spreadsheets from taking a text that somebody else wrote for a
// formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func writeCells(b *bytes.Buffer, cells []string) {
	for i, text := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(strings.ReplaceAll(text, `"`, `""`))
		b.WriteByte('"')
	}
	b.WriteString("\r\n")
}
