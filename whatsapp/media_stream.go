package whatsapp

import (
	"bytes"
	"context"
	gohash "hash"
	"io"
	"net/http"
	"time"
)

const (
	// maxPause is how long a file may stand still, maxDownload how long all of
	// it may take.
	maxPause    = 30 * time.Second
	maxDownload = 10 * time.Minute
)

// Download is a file that is being read. It is used by one goroutine.
type Download struct {
	File

	ctx    context.Context
	cancel context.CancelCauseFunc
	// whole bounds all of the download, patience every single wait in it.
	whole, patience *time.Timer

	token Token
	// host is the one that was asked last.
	host        string
	body        io.ReadCloser
	limit, read int64
	sum         gohash.Hash
	err         error
}

// accept looks at the head of the answer.
func (d *Download) accept(response *http.Response) error {
	problem, err := MediaProblem(""), error(nil)
	switch status := response.StatusCode; {
	case status == http.StatusOK && response.ContentLength > d.limit:
		problem = MediaTooLarge
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound, status == http.StatusGone:
		problem, err = MediaGone, errStale
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		// The next look-up brings Meta's word on the token, or a new address.
		problem, err = MediaRefused, errStale
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		problem = MediaInterrupted
	default:
		problem = MediaRefused
	}
	return &MediaError{Problem: problem, Host: d.host, Status: response.StatusCode, Err: err}
}

// Read gives the file's next bytes. It ends with io.EOF only if they are all of
// it, as far as Meta said what it is: else with a *MediaError. What was read
// before an error is worth nothing.
func (d *Download) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	d.patience.Reset(maxPause)
	n, err := d.body.Read(p)
	d.patience.Stop()
	d.read += int64(n)
	_, _ = d.sum.Write(p[:n]) // a hash takes everything
	switch {
	case d.read > d.limit:
		n, d.err = 0, &MediaError{Problem: MediaTooLarge, Host: d.host}
	case err == io.EOF: // a wrapped one is no clean end
		d.err = d.check()
	case err != nil:
		d.err = d.broken(err)
	}
	return n, d.err
}

// check compares the whole file with what Meta said. Where there is a sum, the
// size is only its word.
func (d *Download) check() error {
	switch {
	case d.SHA256 != nil && !bytes.Equal(d.sum.Sum(nil), d.SHA256):
		return &MediaError{Problem: MediaCorrupt, Host: d.host, Err: errSum}
	case d.SHA256 == nil && d.Size != 0 && d.Size != d.read:
		return &MediaError{Problem: MediaCorrupt, Host: d.host, Err: errSize}
	}
	return io.EOF
}

// broken says why a connection failed, which may be our own impatience.
func (d *Download) broken(err error) error {
	if cause := context.Cause(d.ctx); cause != nil {
		err = cause
	}
	return broken(d.host, bare(err, d.token.Reveal()))
}

// Close ends the download, wherever it is.
func (d *Download) Close() error {
	d.whole.Stop()
	d.patience.Stop()
	d.cancel(context.Canceled)
	if d.body == nil {
		return nil
	}
	return d.body.Close()
}
