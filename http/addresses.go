package http

import (
	"net/url"
	"strings"
)

// origin is where the client reached the server: the configured address, or
// else the one of the request. What proxies say of it counts only from those
// that are trusted.
func (c call) origin() string {
	if c.server.external != "" {
		return c.server.external
	}
	if c.Hostname() == "" { // HTTP/1.0
		return c.server.publicURL
	}
	return c.BaseURL()
}

// address is the address of something below the prefix that the client uses.
func (c call) address(elements ...string) string {
	prefix := prefixes[0]
	if !strings.HasPrefix(c.Path(), prefix) {
		prefix = prefixes[1]
	}
	escaped := make([]string, len(elements))
	for i, e := range elements {
		escaped[i] = url.PathEscape(e)
	}
	return c.origin() + prefix + "/" + strings.Join(escaped, "/")
}
