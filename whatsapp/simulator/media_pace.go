package simulator

import (
	"context"
	"errors"
	"io"
	"time"
)

// fileFault is what goes wrong with a person's files.
type fileFault int

const (
	fileGood     fileFault = iota
	fileMissing            // the first address of each is not found
	fileGone               // Meta does not know them any more
	fileCorrupt            // one bit is wrong
	fileJSON               // a JSON error in place of the bytes, once
	fileRedirect           // their addresses redirect into a private network
	fileCut                // the connection breaks in the middle, once
	fileStill              // nothing comes after the middle
	fileSlow               // the bytes come in ten pieces
	fileEndless            // the bytes never end
)

// FileCast lists the people whose files behave in a certain way. It is apart
// from the Cast, which can be tried without sending files.
func FileCast() []Role { return append([]Role(nil), fileCast...) }

var fileCast = []Role{
	{Number: "15550003404", Name: "Mia Missing", Does: "the first address of each of their files is not found", file: fileMissing},
	{Number: "15550003410", Name: "Olga Old", Does: "their files are gone when they are asked for", file: fileGone},
	{Number: "15550003256", Name: "Cora Corrupt", Does: "one bit of their files is wrong", file: fileCorrupt},
	{Number: "15550003200", Name: "Jason Error", Does: "a JSON error comes in place of each of their files, once", file: fileJSON},
	{Number: "15550003302", Name: "Rita Redirect", Does: "their files' addresses redirect into a private network", file: fileRedirect},
	{Number: "15550003499", Name: "Kit Cut", Does: "the connection breaks in the middle of each of their files, once", file: fileCut},
	{Number: "15550003408", Name: "Stan Still", Does: "nothing comes after the middle of their files", file: fileStill},
	{Number: "15550003425", Name: "Sloane Slow", Does: "their files take a minute and a half", file: fileSlow},
	{Number: "15550003999", Name: "Ned Endless", Does: "their files never end", file: fileEndless},
}

// slowness is the wait before each tenth of a slow file.
const slowness = 9 * time.Second

var errCut = errors.New("connection reset by peer")

// stream is the body of an answer as it comes at its pace.
type stream struct {
	s    *Simulator
	ctx  context.Context
	pace fileFault
	body []byte
	sent int
}

// Read gives the next bytes when they are due.
func (b *stream) Read(p []byte) (int, error) {
	rest := b.body[b.sent:]
	switch middle := len(b.body) / 2; b.pace {
	case fileEndless:
		clear(p)
		return len(p), b.end()
	case fileCut, fileStill:
		if b.sent == middle {
			return 0, b.breakOff()
		}
		rest = rest[:middle-b.sent]
	case fileSlow:
		tenth := len(b.body)/10 + 1
		if b.sent%tenth == 0 && !b.s.sleep(b.ctx, slowness) {
			return 0, b.end()
		}
		rest = rest[:min(len(rest), tenth-b.sent%tenth)]
	}
	if len(rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, rest)
	b.sent += n
	return n, nil
}

// breakOff is what happens in the middle.
func (b *stream) breakOff() error {
	if b.pace == fileCut {
		return errCut
	}
	select {
	case <-b.ctx.Done():
	case <-b.s.ctx.Done():
	}
	return b.end()
}

// end says whether the caller or the simulator has ended.
func (b *stream) end() error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if b.s.ctx.Err() != nil {
		return errClosed
	}
	return nil
}

// Close has nothing to give back.
func (b *stream) Close() error { return nil }
