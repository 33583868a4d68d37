package whatsapp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// MaxMedia is the limit of a download where none is set, in bytes.
	// Meta: media, a document has 100 MB at most.
	MaxMedia = 100 << 20

	maxRedirects = 3
	// agent is sent with downloads. Meta: some programs' usual ones are
	// refused.
	agent = "Mozilla/5.0 (compatible; Parley)"
)

// Hosts that are given the token: names, and domains with all below them.
// Nobody else is, and a redirect from them to anywhere else goes without.
var (
	tokenHosts   = []string{"lookaside.fbsbx.com"}
	tokenDomains = []string{".facebook.com", ".fbcdn.net", ".whatsapp.net"}
)

// Download opens a file that was sent to the phone number, by the ID of its
// [Media]. Reading it gives the bytes; it must be closed.
//
// It fetches over https only, but for a BaseURL that is http, and follows few
// redirects. The token is sent to Meta's hosts and to BaseURL's alone. It does
// not look where a name leads: a Client whose HTTP refuses private addresses
// does. An address that is not good any more is asked for once again.
//
// limit is the most bytes that are given; 0 means MaxMedia. Errors are those of
// [Client.FindMedia], also while reading.
// Meta: media, download media.
func (c *Client) Download(ctx context.Context, credentials Credentials, id string, limit int64) (*Download, error) {
	if limit <= 0 {
		limit = MaxMedia
	}
	d, err := c.download(ctx, credentials, id, limit)
	if errors.Is(err, errStale) {
		d, err = c.download(ctx, credentials, id, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("download media: %w", err)
	}
	return d, nil
}

// download tries it with one address.
func (c *Client) download(ctx context.Context, credentials Credentials, id string, limit int64) (*Download, error) {
	file, err := c.findMedia(ctx, credentials, id)
	if err != nil {
		return nil, err
	}
	if file.Size > limit {
		return nil, &MediaError{Problem: MediaTooLarge}
	}
	d := &Download{File: file, limit: limit, sum: sha256.New(), token: credentials.Token}
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	d.whole = time.AfterFunc(maxDownload, func() { d.cancel(errSlow) })
	d.patience = time.AfterFunc(callTimeout, func() { d.cancel(errStalled) })
	response, err := c.follow(d)
	d.patience.Stop()
	if err == nil {
		d.body = response.Body
		err = d.accept(response)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// follow asks for the file, and goes where it is redirected to.
func (c *Client) follow(d *Download) (*http.Response, error) {
	target, err := url.Parse(d.URL)
	if err != nil {
		return nil, &MediaError{Problem: MediaUnsafe, Err: errHost} // err would show the address
	}
	trusted := true
	for range maxRedirects + 1 {
		d.host = target.Host
		if err := c.checkTarget(target); err != nil {
			return nil, &MediaError{Problem: MediaUnsafe, Host: d.host, Err: err}
		}
		// Whoever redirects to Meta does not get our token used there.
		trusted = trusted && c.mayHaveToken(target)
		response, err := c.ask(d, target, trusted)
		if err != nil {
			return nil, err
		}
		next, err := response.Location()
		if !slices.Contains(redirects, response.StatusCode) || err != nil {
			return response, nil
		}
		_ = response.Body.Close() // nothing in it is wanted
		target = next
	}
	return nil, &MediaError{Problem: MediaUnsafe, Host: d.host, Err: errRedirects}
}

var redirects = []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}

// ask sends one request for the file.
func (c *Client) ask(d *Download, target *url.URL, trusted bool) (*http.Response, error) {
	r, err := http.NewRequestWithContext(d.ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, &MediaError{Problem: MediaUnsafe, Host: d.host, Err: errHost}
	}
	if trusted {
		r.Header.Set("Authorization", "Bearer "+d.token.Reveal())
	}
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Accept-Encoding", "identity") // the sum is of the bytes as they are
	response, err := c.HTTP.Do(r)
	if err != nil {
		return nil, d.broken(err)
	}
	return response, nil
}

// checkTarget refuses addresses that Meta has no reason to give.
func (c *Client) checkTarget(target *url.URL) error {
	switch {
	case target.User != nil:
		return errPassword
	case c.isOwn(target):
		return nil
	case target.Scheme != "https":
		return errScheme
	case !hasDomain(target.Hostname()):
		return errHost
	}
	return nil
}

// hasDomain reports that a host is named in full. Addresses in numbers are not,
// nor are neighbours.
func hasDomain(host string) bool {
	dot := strings.LastIndexByte(strings.TrimSuffix(host, "."), '.')
	return dot > 0 && strings.Trim(host[dot+1:dot+2], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// isOwn reports that an address is on the server that BaseURL names.
func (c *Client) isOwn(target *url.URL) bool {
	base, err := url.Parse(c.BaseURL)
	return err == nil && base.Host != "" && target.Scheme == base.Scheme && strings.EqualFold(target.Host, base.Host)
}

// mayHaveToken reports that a host is Meta's, or the one that BaseURL names.
func (c *Client) mayHaveToken(target *url.URL) bool {
	if c.isOwn(target) {
		return true
	}
	host := strings.ToLower(target.Hostname())
	return target.Scheme == "https" && (target.Port() == "" || target.Port() == "443") &&
		strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" &&
		(slices.Contains(tokenHosts, host) || slices.ContainsFunc(tokenDomains, func(d string) bool { return strings.HasSuffix(host, d) }))
}
