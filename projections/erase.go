package projections

import (
	"context"
	"errors"
	"os"
)

// eraseConversation takes a conversation out of every answer. Its lines in the
// event log stay, and only say that something happened: so do those of what
// the sender's notifications held until now, which may tell of it, too.
func (w *writer) eraseConversation(f fact, id string) error {
	seq, err := w.number("SELECT seq FROM conversations WHERE id = ?", id)
	if err != nil || seq == 0 {
		return err
	}
	stream, err := w.name(string(f.Stream))
	if err != nil {
		return err
	}
	w.leftover = true
	return errors.Join(
		w.exec("DELETE FROM conversations WHERE seq = ?", seq),
		w.exec("DELETE FROM edits WHERE conversation = ?", seq),
		w.exec("DELETE FROM attachments WHERE conversation = ?", id),
		w.exec("INSERT INTO erased (seq, stream, until) VALUES (?, ?, ?)", seq, stream, seqOf(f.Position)))
}

// smallFile is up to which size a file is written anew when something was
// erased, in bytes: that takes a fifth of a second.
const smallFile = 32 << 20

// forgetErased leaves nothing of what was erased in a small file, and in a large
// one no more than what SQLite left behind when it moved rows between pages. The
// -wal file, which holds pages as they were before, is emptied. A reader may be
// in the way; then it is done after the next batch.
func (w *writer) forgetErased(path string) error {
	if !w.leftover {
		return nil
	}
	file, err := os.Stat(path)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if file.Size() <= smallFile {
		if _, err := w.connection.ExecContext(ctx, "VACUUM"); err != nil {
			return err
		}
	}
	var busy, frames, moved int
	err = w.connection.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err == nil {
		w.leftover = busy != 0
	}
	return err
}

// bare tells of a row of the event log that it may only say that something
// happened.
const bare = "EXISTS (SELECT 1 FROM erased WHERE erased.seq = log.conversation AND log.seq < erased.until) OR " +
	"log.conversation = 0 AND log.type = (SELECT id FROM names WHERE name = 'integration.whatsapp.callback.notification') AND " +
	"EXISTS (SELECT 1 FROM erased WHERE erased.stream = log.stream AND log.seq < erased.until)"
