package parley_test

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"parley/whatsapp/simulator"
)

// character is a person of this life.
type character struct {
	id string
	// name is a letter. What they write begins with it: "a1", "a2" and so on.
	name string
	does string
}

// cast chooses the people.
func (s *simulation) cast() {
	d := s.dice("cast")
	roles := simulator.Cast()
	d.Shuffle(len(roles), func(i, j int) { roles[i], roles[j] = roles[j], roles[i] })
	for i := range 2 + d.IntN(4) {
		c := &character{name: string(rune('a' + i)), id: fmt.Sprintf("1555123%04d", i+1), does: "somebody"}
		switch d.IntN(10) {
		case 0, 1, 2, 3:
			c.id, c.does = roles[i].Number, roles[i].Does
		case 4:
			c.id, c.does = fmt.Sprintf("US.1349120865530274%04d", i), "somebody who hides the number"
		}
		s.people = append(s.people, c)
	}
}

// write writes all that a person has to say.
func (s *simulation) write(c *character) {
	s.tell(c.name, "is %s, %s", c.id, c.does)
	d, most := s.dice("writes", c.name), 10
	if strings.HasSuffix(c.does, "always") {
		most = 3 // every part takes hours to be given up
	}
	for n := range 1 + d.IntN(most) {
		time.Sleep(wait(d))
		label := fmt.Sprintf("%s%d", c.name, n+1)
		text, opens := label, true
		switch d.IntN(12) {
		case 0:
			text, opens = []string{"/reset", "/new", " /Restart "}[d.IntN(3)], false
		case 1:
			text += fmt.Sprintf(" and %d bytes %0*d", 4000, 4000, 0)
		case 2:
			text += " «ünïcödé» 👋🏽\n\"quoted\" \\ @all"
		}
		wamid := s.person(c.id).Write(text)
		s.record.wrote(wamid, written{person: c, label: label, text: text, opens: opens})
		s.tell(c.name, "writes %.40q as %s (%.12s…)", text, label, wamid)
	}
}

var labelled = regexp.MustCompile(`^[a-z]\d+\b`)
