package http

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"parley/domain/file"
	"parley/events"
	"parley/http/ticket"
	"parley/media"
)

// uploadOperations are the addresses that uploads are sent to.
func (s *Server) uploadOperations() []operation {
	return []operation{
		{method: put, path: "/upload/:ticket", public: s.takeUpload, streams: true},
	}
}

// uploadLife is how long a client may wait before it begins to upload.
const uploadLife = 15 * time.Minute

// shelf is where an upload goes to.
type shelf struct {
	// claims are those of a ticket for it, as far as the upload itself does not
	// decide them.
	claims ticket.Claims
	// name is what an upload without a name is called.
	name string
	// keep refers to the content, which is in the media store.
	keep func(c events.Content, use use) error
	// shown is what the client is told.
	shown func(name string) uploadAnswer
}

// use says which ticket allows an upload, and how long it may be shown; the
// zero value is an upload that needs none.
type use struct {
	ticket string
	until  events.Instant
}

// uploadAnswer is what an upload comes to: the thing, or how to send the bytes.
// Spec: "Files and attachments".
type uploadAnswer struct {
	ID            string         `json:"id"`
	Name          string         `json:"name,omitempty"`
	UploadRequest *uploadRequest `json:"uploadRequest,omitempty"`
}

type uploadRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
}

// upload takes a content in any of the ways that clients may choose: they ask
// for an address to send it to, name one to fetch it from, or send it at once.
func (c call) upload(to shelf) error {
	typ, parameters, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch {
	case err == nil && typ == fiber.MIMEApplicationJSON:
		return c.uploadAsTold(to)
	case err == nil && typ == fiber.MIMEMultipartForm:
		return c.uploadForm(to, parameters["boundary"])
	}
	return c.uploadRaw(to)
}

// source is an upload's content with what the client says about it.
type source struct {
	io.Reader
	name, typ string
	// most bounds the content, in bytes; exact says that it has so many.
	most  int64
	exact bool
}

func (c call) uploadRaw(to shelf) error {
	in := arriving(c.Ctx).patiently(c.server.uploadLimit)
	if in.length > c.server.uploadLimit {
		return errTooLarge
	}
	return c.stow(to, source{Reader: in, typ: c.Get(fiber.HeaderContentType), most: c.server.uploadLimit}, use{})
}

// formRoom is how much a form may have around the file, in bytes.
const formRoom = 1 << 20

func (c call) uploadForm(to shelf, boundary string) error {
	most := c.server.uploadLimit + formRoom
	in := arriving(c.Ctx).patiently(most)
	switch {
	case boundary == "":
		return invalid("The form has no boundary")
	case in.length > most:
		return errTooLarge
	}
	form := multipart.NewReader(&bounded{in, most}, boundary)
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return invalid(`The form has no "file"`)
		case err != nil:
			return formProblem(err)
		case part.FormName() != "file":
			continue
		}
		return c.stow(to, source{
			Reader: formFile{part}, name: part.FileName(), typ: part.Header.Get(fiber.HeaderContentType), most: c.server.uploadLimit,
		}, use{})
	}
}

// bounded reads no more than so many bytes; more is a problem.
type bounded struct {
	io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// formFile is the file in a form.
type formFile struct{ io.Reader }

func (f formFile) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = formProblem(err)
	}
	return n, err
}

// formProblem tells what went wrong on the way from what is wrong with a form.
func formProblem(err error) error {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return invalid("The form is not as it should be")
}

// stow puts a content into the media store, and then lets the shelf refer to
// it. If the shelf refuses, the content is left to be swept.
func (c call) stow(to shelf, from source, by use) error {
	typ, err := mediaType(from.typ)
	if err != nil {
		return err
	}
	object, err := c.put(from)
	if err != nil {
		return err
	}
	typ = cmp.Or(typ, object.Type)
	if settled, agree := media.Settle(typ, object.Type); !agree {
		c.server.logger.Debug("file is not what it claims to be", "request", requestID(c.Ctx), "claimed", typ, "seen", settled)
	}
	content := events.Content{
		Hash: object.Hash.String(), Name: media.SafeName(cmp.Or(from.name, to.name), typ), Type: typ, Size: object.Size,
	}
	if err := to.keep(content, by); err != nil {
		return err
	}
	if _, err := c.server.contents.Stat(c.UserContext(), object.Hash); err != nil { // it took too long, and was swept
		return fmt.Errorf("%w: what was uploaded is gone: %w", ErrUnavailable, err)
	}
	return c.JSON(to.shown(content.Name))
}

// put puts a content into the media store. What fails is the client's mistake
// or, if it is the disk's, for the client to try again.
func (c call) put(from source) (media.Object, error) {
	counted := &counter{Reader: from.Reader}
	object, err := c.server.contents.Put(c.server.life, counted.exactly(from), media.Limits{Bytes: from.most})
	var p *problem
	switch {
	case err == nil:
		return object, nil
	case errors.As(err, &p):
		return object, p
	case errors.Is(err, media.ErrEmpty):
		return object, invalid("The file is empty")
	case errors.Is(err, media.ErrTooLarge):
		return object, errTooLarge
	}
	return object, fmt.Errorf("%w: keep an upload: %w", ErrUnavailable, err)
}

// counter counts what is read.
type counter struct {
	io.Reader
	read int64
}

func (r *counter) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.read += int64(n)
	return n, err
}

// exactly ends with a problem if the content is smaller than it must be.
func (r *counter) exactly(from source) io.Reader {
	if !from.exact {
		return r
	}
	return io.MultiReader(r, atEnd(func() error {
		if r.read < from.most {
			return invalid(fmt.Sprintf("The file has %d bytes and not %d, as was said", r.read, from.most))
		}
		return io.EOF
	}))
}

// atEnd decides how a content ends.
type atEnd func() error

func (f atEnd) Read([]byte) (int, error) { return 0, f() }

// maxType bounds a content type.
const maxType = 255

// mediaType reads the type that a client gives a content; "" says that it does
// not know.
func mediaType(typ string) (string, error) {
	if strings.TrimSpace(typ) == "" {
		return "", nil
	}
	base, parameters, err := mime.ParseMediaType(typ)
	formatted := mime.FormatMediaType(base, parameters)
	switch {
	case err != nil, formatted == "", len(formatted) > maxType, !strings.Contains(base, "/"):
		return "", invalid(`"type" must be a content type, for example image/png`)
	case base == fiber.MIMEOctetStream:
		return "", nil
	}
	return formatted, nil
}

// takeUpload takes what is sent to an address that a ticket stands in.
func (s *Server) takeUpload(f *fiber.Ctx) error {
	claims, err := s.tickets.Open(f.Params("ticket"), time.Now())
	switch {
	case errors.Is(err, ticket.ErrExpired):
		return notAllowed("This upload address has expired")
	case err != nil:
		return notAllowed("This is no upload address")
	}
	c := call{Ctx: f, server: s, account: claims.Account}
	to, err := c.shelfOf(claims)
	if err != nil {
		return err
	}
	in := arriving(f).patiently(claims.Size)
	switch {
	case in.length > claims.Size:
		return errTooLarge
	case in.length >= 0 && in.length < claims.Size:
		return invalid(fmt.Sprintf("The file has %d bytes and not %d, as was said", in.length, claims.Size))
	}
	until := time.UnixMilli(claims.Expires).Add(uploadTime(s.uploadLimit) + time.Minute)
	return c.stow(to,
		source{Reader: in, name: claims.Name, typ: claims.Type, most: claims.Size, exact: true},
		use{ticket: claims.Nonce, until: events.At(until)})
}

// shelfOf is where a ticket lets an upload go to.
func (c call) shelfOf(claims ticket.Claims) (shelf, error) {
	switch claims.Purpose {
	case ticket.UploadFile:
		return c.fileShelf(claims.ID)
	case ticket.UploadAttachment:
		return c.conversationShelf(claims.Within, claims.ID)
	}
	return shelf{}, notAllowed("This is no upload address")
}

// fileShelf is a file that an upload goes to.
func (c call) fileShelf(id string) (shelf, error) {
	f, err := c.server.files().of(c, id, file.NotFound())
	if err != nil {
		return shelf{}, err
	}
	return shelf{
		claims: ticket.Claims{Purpose: ticket.UploadFile, Account: c.account, ID: f.ID, Nonce: events.NewKey()},
		name:   f.Settings.Name,
		keep: func(content events.Content, by use) error {
			return c.write(c.server.files().address(f.ID), file.Upload{Content: content, Ticket: by.ticket, Until: by.until})
		},
		shown: func(string) uploadAnswer { return uploadAnswer{ID: f.ID} },
	}, nil
}

func (s *Server) uploadFile(c call) error {
	to, err := c.fileShelf(c.id())
	if err != nil {
		return err
	}
	return c.upload(to)
}

// notAllowed is the problem of an address that does not serve any more, or
// never did.
func notAllowed(message string) *problem {
	return &problem{status: errNotAuthorized.status, code: errNotAuthorized.code, message: message}
}
