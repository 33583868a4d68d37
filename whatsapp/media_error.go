package whatsapp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// MediaProblem says why a file could not be had.
type MediaProblem string

const (
	// MediaGone: Meta does not have it any more, or not for this number.
	// Meta: media IDs of webhooks are good for 7 days.
	MediaGone MediaProblem = "gone"
	// MediaTooLarge: it has more bytes than the caller wants.
	MediaTooLarge MediaProblem = "too_large"
	// MediaCorrupt: what came is not what Meta says the file is.
	MediaCorrupt MediaProblem = "corrupt"
	// MediaUnsafe: the address, or one that it redirects to, is none to fetch
	// from.
	MediaUnsafe MediaProblem = "unsafe"
	// MediaRefused: the server that has the file did not give it, and Meta's
	// API did not say why.
	MediaRefused MediaProblem = "refused"
	// MediaInterrupted: the connection failed, or was too slow.
	MediaInterrupted MediaProblem = "interrupted"
)

// MediaError says that a file could not be had. It never holds the token or the
// file's address.
type MediaError struct {
	Problem MediaProblem
	// Host is the server that was asked, and Status its HTTP status, or 0.
	Host   string
	Status int
	Err    error
}

// Error gives the problem, where it was, and the cause.
func (e *MediaError) Error() string {
	text := "media " + string(e.Problem)
	if e.Host != "" {
		text += fmt.Sprintf(" at %q", e.Host)
	}
	if e.Status != 0 && e.Status != http.StatusOK {
		text += fmt.Sprintf(", HTTP status %d", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the cause, for example context.DeadlineExceeded or an *Error.
func (e *MediaError) Unwrap() error { return e.Err }

var (
	errMediaID   = errors.New("not a media ID")
	errNoURL     = errors.New("the answer has no address")
	errStale     = errors.New("the address is not good any more")
	errScheme    = errors.New("only https is fetched")
	errHost      = errors.New("the address does not name a host in full")
	errPassword  = errors.New("the address has a password in it")
	errRedirects = errors.New("too many redirects")
	errSum       = errors.New("the SHA-256 is another")
	errSize      = errors.New("the size is another")
	errStalled   = errors.New("nothing came for too long")
	errSlow      = errors.New("the whole file took too long")
)

// AdviseMedia says what an error of [Client.FindMedia], [Client.Download] or
// reading a [Download] means: Retry what may work later, Stop if an operator
// must act first, Never if the file cannot be had. nil gets the zero Advice. An
// error that is not of this package gets a Retry.
func AdviseMedia(err error) Advice {
	var (
		failed  *MediaError
		refused *Error
	)
	switch {
	case err == nil:
		return Advice{}
	case errors.As(err, &failed):
		return failed.advise()
	case errors.As(err, &refused):
		return refused.advise()
	}
	return retrySoon
}

func (e *MediaError) advise() Advice {
	switch e.Problem {
	case MediaGone, MediaTooLarge, MediaUnsafe:
		return never
	case MediaCorrupt, MediaRefused:
		return retryTwice
	}
	return retrySoon
}

// unfound sorts a refused look-up. Nothing was done, so nothing is unclear.
func unfound(host string, err error) error {
	var (
		unclear *Unclear
		refused *Error
	)
	if errors.As(err, &unclear) {
		return &MediaError{Problem: MediaInterrupted, Host: host, Status: unclear.Status, Err: unclear.Err}
	}
	if errors.As(err, &refused) && refused.Code == 100 { // here, the ID is the only parameter that can be bad
		return &MediaError{Problem: MediaGone, Host: host, Status: refused.Status, Err: refused}
	}
	return err
}

// broken is for a connection that failed. A dialer that refuses an address for
// good says so by a method Permanent.
func broken(host string, err error) *MediaError {
	var final interface{ Permanent() bool }
	if errors.As(err, &final) && final.Permanent() {
		return &MediaError{Problem: MediaUnsafe, Host: host, Err: err}
	}
	return &MediaError{Problem: MediaInterrupted, Host: host, Err: err}
}

// bare takes the address out of an error of net/http, and the token.
func bare(err error, token string) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	return scrub(err, token)
}
