package http

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"parley/domain/file"
	"parley/events"
	"parley/http/ticket"
	"parley/media"
	"parley/projections"
)

// downloadOperations are the addresses that downloads are given by.
func (s *Server) downloadOperations() []operation {
	return []operation{
		{method: get, path: "/file/:id/download", public: s.downloadFile},
		{method: get, path: "/download/:ticket/:name", public: s.giveDownload},
	}
}

// downloadLife is how long the address of a download serves.
const downloadLife = 15 * time.Minute

// downloadFile gives a file to those who may have it: a public one to
// everybody, others to their account. Spec: "Files and attachments".
func (s *Server) downloadFile(f *fiber.Ctx) error {
	account, err := s.authenticate(f)
	if err != nil && !errors.Is(err, errNotAuthenticated) {
		return err
	}
	c := call{Ctx: f, server: s, account: account}
	found, err := c.visibleFile()
	switch {
	case err != nil:
		return err
	case found.Content.Hash == "" && c.wantsAddress():
		return file.NotFound()
	case found.Content.Hash == "":
		c.Status(http.StatusNoContent)
		return nil
	case c.wantsAddress():
		return c.downloadAddress(ticket.Claims{Purpose: ticket.DownloadFile, Account: found.Account, ID: found.ID}, found.Content.Name)
	}
	return c.give(found.Content)
}

// visibleFile gives the file that the path names, if the caller may have it.
func (c call) visibleFile() (projections.File, error) {
	f, err := sought(c, func() (projections.File, error) {
		if c.account != "" {
			f, err := c.server.model.File(c.UserContext(), c.account, c.id())
			if !errors.Is(err, projections.ErrNotFound) {
				return f, err
			}
		}
		return c.server.model.PublicFile(c.UserContext(), c.id())
	})
	if c.account == "" {
		return f, notFound(err, errNotAuthenticated)
	}
	return f, notFound(err, file.NotFound())
}

// wantsAddress reports that the caller wants JSON rather than the bytes.
func (c call) wantsAddress() bool {
	return c.Accepts(fiber.MIMEOctetStream, fiber.MIMEApplicationJSON) == fiber.MIMEApplicationJSON
}

// downloadAddress answers with an address that serves without a secret.
func (c call) downloadAddress(claims ticket.Claims, name string) error {
	claims.Expires = time.Now().Add(downloadLife).UnixMilli()
	return c.JSON(map[string]string{"url": c.address("download", c.server.tickets.Sign(claims), name)})
}

// giveDownload gives what a ticket stands for, as it is now.
func (s *Server) giveDownload(f *fiber.Ctx) error {
	claims, err := s.tickets.Open(f.Params("ticket"), time.Now())
	switch {
	case errors.Is(err, ticket.ErrExpired):
		return notAllowed("This download address has expired")
	case err != nil:
		return notAllowed("This is no download address")
	}
	content, err := call{Ctx: f, server: s, account: claims.Account}.contentOf(claims)
	switch {
	case err != nil:
		return err
	case content.Hash == "":
		return file.NotFound()
	}
	return call{Ctx: f, server: s}.give(content)
}

func (c call) contentOf(claims ticket.Claims) (events.Content, error) {
	switch claims.Purpose {
	case ticket.DownloadFile:
		f, err := c.server.files().of(c, claims.ID, file.NotFound())
		return f.Content, err
	case ticket.DownloadAttachment:
		a, err := c.attachment(claims.Within, claims.ID)
		return a.Content(), err
	}
	return events.Content{}, notAllowed("This is no download address")
}

// give answers with a content, or with a part of it.
func (c call) give(content events.Content) error {
	hash, err := media.ParseHash(content.Hash)
	if err != nil {
		return err
	}
	r, object, err := c.server.contents.Open(c.UserContext(), hash)
	if err != nil {
		return fmt.Errorf("open %s: %w", content.Hash, err)
	}
	etag := `"` + content.Hash + `"`
	first, last, err := c.part(etag, object.Size)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	c.Set(fiber.HeaderETag, etag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	c.Set(fiber.HeaderContentDisposition, disposition(content, object.Type))
	c.Set(fiber.HeaderContentType, content.Type)
	if known(c.Get(fiber.HeaderIfNoneMatch), etag) {
		c.Status(http.StatusNotModified)
		return r.Close()
	}
	if _, err := r.Seek(first, io.SeekStart); err != nil {
		return errors.Join(fmt.Errorf("read %s: %w", content.Hash, err), r.Close())
	}
	size := last - first + 1
	return c.SendStream(section{io.LimitReader(r, size), r}, int(size))
}

// section is a part of a content.
type section struct {
	io.Reader
	io.Closer
}

// known reports that a list of tags names one, or all.
func known(tags, etag string) bool {
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// part gives the first and the last byte that the caller wants. Several parts,
// and those of another content, are answered with the whole.
// Source: RFC 9110, range requests.
func (c call) part(etag string, size int64) (first, last int64, err error) {
	wanted, which := c.Get(fiber.HeaderRange), c.Get(fiber.HeaderIfRange)
	if wanted == "" || strings.Contains(wanted, ",") || !strings.HasPrefix(wanted, "bytes=") || which != "" && which != etag {
		return 0, size - 1, nil
	}
	from, to, err := fasthttp.ParseByteRange([]byte(wanted), int(size))
	if err != nil || from > to {
		c.Set(fiber.HeaderContentRange, "bytes */"+strconv.FormatInt(size, 10))
		return 0, 0, &problem{status: 416, code: "RANGE_NOT_SATISFIABLE", message: "The file has no such part"}
	}
	c.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", from, to, size))
	c.Status(http.StatusPartialContent)
	return int64(from), int64(to), nil
}

// disposition says how a browser should treat a content: what cannot run there
// may be shown, all else is only to be saved. A content that looks like
// something else than it is called must be harmless as both.
func disposition(content events.Content, seen string) string {
	kind := "attachment"
	if isHarmless(content.Type) && isHarmless(seen) {
		kind = "inline"
	}
	return kind + filename(content.Name)
}

// shownTypes are the types that browsers show without running anything.
var shownTypes = []string{
	"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
	"text/plain", "application/json", "application/octet-stream",
}

func isHarmless(typ string) bool {
	typ, _, _ = strings.Cut(typ, ";")
	return strings.HasPrefix(typ, "audio/") || strings.HasPrefix(typ, "video/") || slices.Contains(shownTypes, strings.TrimSpace(typ))
}

// filename is a name as a parameter of Content-Disposition: in plain signs for
// old clients, and as it is for the others.
// Source: RFC 6266, appendix D.
func filename(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%/`, r) {
			return '_'
		}
		return r
	}, name)
	text := `; filename="` + plain + `"`
	if plain != name {
		text += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return text
}
