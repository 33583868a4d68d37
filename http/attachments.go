package http

import (
	"context"
	"encoding/json"

	"parley/domain"
	"parley/domain/conversation"
	"parley/events"
	"parley/http/ticket"
	"parley/projections"
)

func (s *Server) attachmentOperations() []operation {
	return []operation{
		{method: get, path: "/conversation/:id/attachment/list", handle: s.listAttachments, forms: listForms},
		{method: post, path: "/conversation/:id/attachment/upload", handle: s.uploadAttachment, streams: true},
		// Where clients call it by mistake. Spec: "Files and attachments".
		{method: post, path: "/Attachment/:id/upload", handle: s.uploadAttachment, streams: true},
		{method: get, path: "/conversation/:id/attachment/:attachment/download", handle: s.downloadAttachment, raw: true},
	}
}

// shownAttachment is a file of a conversation as the API shows it.
type shownAttachment struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Type        string          `json:"type"`
	Size        int64           `json:"size"`
	Meta        json.RawMessage `json:"meta"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
}

func showAttachment(a projections.Attachment) item {
	return item{a.Seq, shownAttachment{
		ID: a.ID, Name: a.Name, Type: a.Type, Size: a.Size, Meta: a.Meta,
		CreatedAt: a.Created.Milliseconds(), UpdatedAt: a.Created.Milliseconds(),
	}}
}

func errAttachmentNotFound() error {
	return domain.Refused(domain.NotFound, "", "Attachment not found")
}

func (s *Server) listAttachments(c call) error {
	id := c.id()
	return c.list(rows{
		page: func(ctx context.Context, p projections.Page) ([]item, error) {
			all, err := s.model.Attachments(ctx, c.account, id, p)
			return items(all, notFound(err, conversation.NotFound()), showAttachment)
		},
		seqOf: func(ctx context.Context, attachment string) (int64, error) {
			a, err := s.model.Attachment(ctx, c.account, id, attachment)
			return a.Seq, err
		},
	})
}

// attachment gives an attachment of a conversation, by ID or name.
func (c call) attachment(within, id string) (projections.Attachment, error) {
	a, err := sought(c, func() (projections.Attachment, error) {
		return c.server.model.Attachment(c.UserContext(), c.account, within, id)
	})
	return a, notFound(err, errAttachmentNotFound())
}

func (s *Server) downloadAttachment(c call) error {
	a, err := c.attachment(c.id(), c.Params("attachment"))
	switch {
	case err != nil:
		return err
	case c.wantsAddress():
		claims := ticket.Claims{Purpose: ticket.DownloadAttachment, Account: c.account, ID: a.ID, Within: c.id()}
		return c.downloadAddress(claims, a.Name)
	}
	return c.give(a.Content())
}

func (s *Server) uploadAttachment(c call) error {
	to, err := c.conversationShelf(c.id(), events.NewKey())
	if err != nil {
		return err
	}
	return c.upload(to)
}

// conversationShelf is a conversation that an upload goes to, as the attachment
// with an ID. A ticket for it is good for one attachment, and needs no other
// nonce.
func (c call) conversationShelf(within, id string) (shelf, error) {
	x, err := c.conversationBy(within)
	if err != nil {
		return shelf{}, err
	}
	return shelf{
		claims: ticket.Claims{Purpose: ticket.UploadAttachment, Account: c.account, ID: id, Within: x.ID, Nonce: id},
		keep: func(content events.Content, by use) error {
			return c.write(addressOf(x), conversation.Attach{
				Session:    x.ID,
				Attachment: events.Attachment{ID: id, Hash: content.Hash, Name: content.Name, Type: content.Type, Size: content.Size},
				Ticket:     by.ticket, Until: by.until,
			})
		},
		shown: func(name string) uploadAnswer { return uploadAnswer{ID: id, Name: name} },
	}, nil
}
