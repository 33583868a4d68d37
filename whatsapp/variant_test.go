package whatsapp_test

import (
	"testing"

	"parley/whatsapp"
)

func TestOtherFormsOfNumbers(t *testing.T) {
	for _, c := range []struct{ rule, number, other string }{
		{"a Brazilian mobile number loses its nine", "5511987654321", "551187654321"},
		{"and gets it back", "551187654321", "5511987654321"},
		{"an Argentine one loses the nine after the country", "5491123456789", "541123456789"},
		{"and gets it back", "541123456789", "5491123456789"},
		{"a Mexican one loses its one", "5215512345678", "525512345678"},
		{"and gets it back", "525512345678", "5215512345678"},
		{"others have one form", "15551234567", ""},
		{"a number of another length has one form", "55119876543210", ""},
		{"a user ID has one form", "BR.5511987654321", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			a, err := whatsapp.ParseAddress(c.number)
			if err != nil {
				t.Fatal(err)
			}
			other, ok := a.Other()
			if other.String() != c.other || ok != (c.other != "") {
				t.Errorf("%q, %v", other, ok)
			}
		})
	}
}
