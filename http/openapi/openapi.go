// Package openapi is the description of the API in a form for programs:
// OpenAPI 3.0. It describes, and nothing else: the operations themselves are
// in package http. The one rule: description and operations say the same.
// Tests hold every answer of the whole test suite to it.
package openapi

import (
	"bytes"
	_ "embed" // the description is a file
	"encoding/json"
	"fmt"
)

//go:embed openapi.json
var description []byte

// relative is the first server of the file: the API below whatever address the
// description was read from.
const relative = `"servers": [`

// Description gives the document. publicURL is the address that clients use,
// without a slash at the end, and becomes its first server; "" if it is not
// known.
func Description(publicURL string) []byte {
	if publicURL == "" {
		return bytes.Clone(description)
	}
	url, err := json.Marshal(publicURL + "/api/v1")
	if err != nil {
		panic(err) // a string is always JSON
	}
	server := fmt.Sprintf(`%s{"url": %s}, `, relative, url)
	return bytes.Replace(description, []byte(relative), []byte(server), 1)
}
