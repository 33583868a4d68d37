package http

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"parley/media"
)

// uploadAsTold takes an upload that JSON tells of: what will be sent, for which
// the client gets an address, or where the content is to be had.
func (c call) uploadAsTold(to shelf) error {
	if err := whole(c.Ctx); err != nil {
		return err
	}
	b, err := readBody(c.Ctx, false)
	if err != nil {
		return err
	}
	raw, _ := b.take("file")
	if err := b.done(); err != nil {
		return err
	}
	var address string
	var fields map[string]json.RawMessage
	switch {
	case json.Unmarshal(raw, &address) == nil && address != "":
		return c.uploadFrom(to, address)
	case json.Unmarshal(raw, &fields) == nil && fields != nil:
		return c.offer(to, &body{fields: fields})
	}
	return invalid(`"file" must be an address to take it from, or an object with type and size`)
}

// offer answers with the request that sends the bytes.
func (c call) offer(to shelf, b *body) error {
	size, name := b.integerOrNull("size"), b.text("name").Value
	typ, err := mediaType(b.text("type").Value)
	if doneErr := b.done(); doneErr != nil {
		err = doneErr
	}
	switch {
	case err != nil:
		return err
	case size.Value == nil || *size.Value < 1:
		return invalid(`"size" must be the number of bytes, 1 or more`)
	case *size.Value > c.server.uploadLimit:
		return errTooLarge
	}
	claims := to.claims
	claims.Size, claims.Type = *size.Value, typ
	if name != "" {
		claims.Name = media.SafeName(name, typ)
	}
	claims.Expires = time.Now().Add(uploadLife).UnixMilli()
	answer := to.shown(claims.Name)
	if typ == "" {
		typ = "application/octet-stream"
	}
	answer.UploadRequest = &uploadRequest{
		Method: put, URL: c.address("upload", c.server.tickets.Sign(claims)),
		// In lower case: clients merge them by name with their own.
		Headers: map[string]string{"content-type": typ},
	}
	return c.JSON(answer)
}

// uploadFrom takes the content from an address.
func (c call) uploadFrom(to shelf, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return invalid(`"file" is not an address`)
	}
	switch u.Scheme {
	case "data":
		return c.uploadData(to, u.Opaque)
	case "http", "https":
		return c.uploadFetched(to, u)
	}
	return invalid(`"file" must be an address that begins with https:, http: or data:`)
}

// uploadData takes the content from a data: address.
// Source: RFC 2397.
func (c call) uploadData(to shelf, data string) error {
	typ, encoded, ok := strings.Cut(data, ",")
	typ, isBase64 := strings.CutSuffix(typ, ";base64")
	if !ok || !isBase64 {
		return invalid(`"file": a data: address must be encoded in base64`)
	}
	content := base64.NewDecoder(base64.StdEncoding, strings.NewReader(encoded))
	return c.stow(to, source{Reader: corrupt{content}, typ: typ, most: c.server.uploadLimit}, use{})
}

// corrupt turns what cannot be decoded into a problem.
type corrupt struct{ io.Reader }

func (r corrupt) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = invalid(`"file" is not encoded in base64`)
	}
	return n, err
}

// The bounds of fetching.
const (
	fetchTime    = 2 * time.Minute
	maxRedirects = 5
)

// newFetcher makes what fetches from addresses that clients name. The transport
// must not reach into the private network.
func newFetcher(way http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: way, Timeout: fetchTime,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

// uploadFetched takes the content from the web. Clients learn that it could not
// be had, and nothing of the network that this server stands in.
func (c call) uploadFetched(to shelf, u *url.URL) (err error) {
	r, err := http.NewRequestWithContext(c.server.life, http.MethodGet, u.String(), nil)
	if err != nil || u.Host == "" {
		return invalid(`"file" is not an address`)
	}
	response, err := c.server.fetcher.Do(r)
	if err != nil {
		var inner *url.Error // which would tell the address
		if errors.As(err, &inner) {
			err = inner.Err
		}
		c.server.logger.Info("upload not fetched", "request", requestID(c.Ctx), "err", err)
		return invalid("The file could not be fetched from its address")
	}
	defer func() { _ = response.Body.Close() }() // nothing more is wanted of it
	switch {
	case response.StatusCode != http.StatusOK:
		return invalid(fmt.Sprintf("The file could not be fetched: its server answered %d", response.StatusCode))
	case response.ContentLength > c.server.uploadLimit:
		return errTooLarge
	}
	typ := response.Header.Get("Content-Type")
	if _, err := mediaType(typ); err != nil {
		typ = ""
	}
	return c.stow(to, source{
		Reader: fetched{response.Body}, name: path.Base(response.Request.URL.Path), typ: typ, most: c.server.uploadLimit,
	}, use{})
}

// fetched turns what goes wrong on the way into a problem.
type fetched struct{ io.Reader }

func (r fetched) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = invalid("The file could not be fetched whole")
	}
	return n, err
}
