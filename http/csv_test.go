package http

import (
	"bufio"
	"bytes"
	"testing"
)

func TestTables(t *testing.T) {
	type row struct {
		Name string         `json:"name"`
		None *string        `json:"none"`
		At   int64          `json:"at"`
		Meta map[string]any `json:"meta"`
	}
	for _, c := range []struct {
		name string
		row  row
		want string
	}{
		{"every value is quoted, and quotes are doubled", row{Name: `Ada "A" L`, At: 5}, `"Ada ""A"" L","","5",""`},
		{"a line break stays within its cell", row{Name: "a\nb"}, "\"a\nb\",\"\",\"0\",\"\""},
		{"an object stands as JSON", row{Meta: map[string]any{"a": 1}}, `"","","0","{""a"":1}"`},
		{"a number is never taken for a formula", row{At: -5}, `"","","-5",""`},
		{"=", row{Name: "=1+1"}, `"'=1+1","","0",""`},
		{"+", row{Name: "+1"}, `"'+1","","0",""`},
		{"-", row{Name: "-1"}, `"'-1","","0",""`},
		{"@", row{Name: "@SUM(A1)"}, `"'@SUM(A1)","","0",""`},
		{"tab", row{Name: "\t=1"}, "\"'\t=1\",\"\",\"0\",\"\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			w := &csvWriter{output: output{bufio.NewWriter(&b)}}
			if err := w.tell("item", c.row); err != nil {
				t.Fatal(err)
			}
			if got := b.String(); got != "\"name\",\"none\",\"at\",\"meta\"\r\n"+c.want+"\r\n" {
				t.Errorf("%q", got)
			}
		})
	}
}
