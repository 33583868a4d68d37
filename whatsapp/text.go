package whatsapp

import (
	"strings"

	"parley/whatsapp/format"
)

// Text makes messages of a text, one if it fits, else cut where it hurts least
// (see [format.Split]). A blank text makes none.
//
// The text is sent as it is: it should already be in WhatsApp's own marks.
func Text(s string) []Outbound {
	var parts []Outbound
	for _, piece := range format.Split(s, format.MaxText) {
		preview := strings.Contains(piece, "https://") || strings.Contains(piece, "http://")
		parts = append(parts, Outbound{outbound{Type: "text", Text: &outText{Body: piece, Preview: preview}}})
	}
	return parts
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }
