package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The bounds of what the doctor waits for and reads. A live setup waits for
// Meta, 10 seconds at most.
const (
	askTime   = 30 * time.Second
	reachTime = 10 * time.Second
	maxAnswer = 4 << 20 // bytes
)

// server is a running Parley, called by its API.
type server struct {
	base, secret string
	client       *http.Client
}

func newServer(address, secret string) server {
	base := strings.TrimSuffix(strings.TrimRight(address, "/"), "/api/v1") + "/api/v1/integration/whatsapp/"
	return server{base: base, secret: secret, client: &http.Client{Timeout: askTime, CheckRedirect: stay}}
}

// stay keeps to the address that was meant.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// integration is an integration as the API shows it, as far as it matters.
type integration struct {
	ID, Name, Alias, VerifyToken string
}

func (s server) integration(ctx context.Context, name string) (i integration, err error) {
	status, problem, err := s.call(ctx, http.MethodGet, url.PathEscape(name)+"/fetch", "", &i)
	switch {
	case err != nil:
		return i, err
	case status == http.StatusNotFound:
		return i, fmt.Errorf("there is no integration %q for this secret", name)
	}
	return i, problem.unless(status == http.StatusOK)
}

// integrations lists all, oldest first.
func (s server) integrations(ctx context.Context) (all []integration, err error) {
	for cursor := ""; ; {
		var page struct {
			Items  []integration
			Cursor string
		}
		status, problem, err := s.call(ctx, http.MethodGet, "list?order=asc&cursor="+url.QueryEscape(cursor), "", &page)
		if err == nil {
			err = problem.unless(status == http.StatusOK)
		}
		if err != nil || len(page.Items) == 0 {
			return all, err
		}
		all = append(all, page.Items...)
		if page.Cursor == "" || page.Cursor == cursor {
			return all, nil
		}
		cursor = page.Cursor
	}
}

// setup is the answer to a live setup.
type setup struct {
	Callback string
	Findings []finding
}

// setup lets the server ask Meta about an integration.
func (s server) setup(ctx context.Context, id string) (found setup, err error) {
	status, problem, err := s.call(ctx, http.MethodPost, url.PathEscape(id)+"/setup", `{"live": true}`, &found)
	if err == nil {
		err = problem.unless(status == http.StatusOK || status == http.StatusConflict && len(found.Findings) > 0)
	}
	return found, err
}

// problem is the server's word on why it answers no.
type problem struct{ Message string }

// unless is an error, unless all is well.
func (p problem) unless(well bool) error {
	if well {
		return nil
	}
	return fmt.Errorf("the server answers: %s", p.Message)
}

// call calls the API and fills v with whatever it answers. Errors say that
// there is no server, or not for us.
func (s server) call(ctx context.Context, method, path, body string, v any) (status int, why problem, err error) {
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(body))
	if err != nil {
		return 0, why, errors.New("--url is not an address")
	}
	r.Header.Set("Authorization", "Bearer "+s.secret)
	r.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(r)
	if err != nil {
		return 0, why, fmt.Errorf("no Parley answers at this address, is it running? %w", bare(err))
	}
	defer response.Body.Close() // nothing is written
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case err != nil:
		return 0, why, fmt.Errorf("read the server's answer: %w", err)
	case response.StatusCode == http.StatusUnauthorized:
		return 0, why, errors.New("the server does not know this secret")
	case json.Unmarshal(raw, v) != nil || json.Unmarshal(raw, &why) != nil:
		return 0, why, fmt.Errorf("what answers at this address is not Parley (HTTP status %d), or Parley by https:// that is called by http://", response.StatusCode)
	}
	return response.StatusCode, why, nil
}

// bare takes the address out of an error: its query may hold a secret.
func bare(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

const cureAddress = "See that a proxy or tunnel passes this address on to the server unchanged, and that PARLEY_PUBLIC_URL is the address it has on the Internet."

// reachable calls a callback at its public address, as Meta does to verify it.
func reachable(ctx context.Context, callback, verifyToken string) finding {
	f := finding{Check: "reachable", Status: statusError, Cure: cureAddress}
	if callback == "" {
		f.Status, f.Message, f.Cure = statusWarning, "The server does not know its public address.", "Set PARLEY_PUBLIC_URL to the address that it has on the Internet."
		return f
	}
	challenge := rand.Text()
	status, answer, err := verify(ctx, callback, verifyToken, challenge)
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		f.Message = callback + " has a certificate that is not trusted: " + untrusted.Err.Error() + "."
		f.Cure = "Get a certificate of a public authority: Meta takes no other."
	case err != nil:
		f.Message = callback + " cannot be reached from here: " + err.Error() + "."
	case status == http.StatusOK && answer == challenge:
		f.Status, f.Message, f.Cure = statusOK, callback+" answers as Meta wants it.", ""
	case status == http.StatusOK:
		f.Message = callback + " answers with something else than Meta wants: perhaps a page of the proxy's or tunnel's own."
	case status >= 300 && status < 400:
		f.Message = fmt.Sprintf("%s redirects elsewhere (HTTP status %d), where Meta does not go.", callback, status)
	default:
		f.Message = fmt.Sprintf("%s does not take the verify token (HTTP status %d): perhaps another server answers there.", callback, status)
	}
	return f
}

// verify asks a callback Meta's question.
// Meta: create webhook endpoint, verification requests.
func verify(ctx context.Context, callback, verifyToken, challenge string) (status int, answer string, err error) {
	query := url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {challenge}, "hub.verify_token": {verifyToken}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, callback+"?"+query.Encode(), nil)
	if err != nil {
		return 0, "", errors.New("it is not an address")
	}
	client := http.Client{Timeout: reachTime, CheckRedirect: stay}
	response, err := client.Do(r)
	if err != nil {
		return 0, "", bare(err)
	}
	defer response.Body.Close() // nothing is written
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, "", bare(err)
	}
	return response.StatusCode, string(body), nil
}
