// Package format turns what a model writes into what WhatsApp shows: Markdown
// becomes WhatsApp's own marks ([Blocks], [Text]), and a text that is too long
// becomes several ([Split]).
//
// It sends nothing and knows no payloads. Markdown is read by a CommonMark
// parser with the tables, task lists, strikethroughs, bare links and footnotes
// of GitHub's dialect; nothing here searches for marks in Markdown itself.
//
// The rule to keep: what a person could read in the Markdown, a person can read
// on the phone. A mark that WhatsApp would not show is left out, a character
// that it would take for a mark is replaced by one that looks alike, and no
// word gets lost, however odd the input is.
//
// WhatsApp's marks are *bold*, _italic_, ~strike~, `code`, ```code of several
// lines```, "> quote", "- item" and "1. item". It has no headings, named links,
// tables, rules, nested lists, nor an escape character. A mark does not cross a
// line break, has no space right inside, and does not touch a letter or digit
// outside.
package format
