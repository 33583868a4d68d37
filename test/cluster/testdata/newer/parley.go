package parley

import (
	"parley/domain"
	"parley/domain/conversation"
)

// newer puts the newer command in place of the older one.
func newer(c domain.Command) domain.Command {
	if r, ok := c.Body.(conversation.Receive); ok {
		c.Body = conversation.Notice{Receive: r}
	}
	return c
}
