package load

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofiber/fiber/v2"

	"parley/whatsapp"
)

// maxGroup bounds how many bodies one sync makes durable.
const maxGroup = 1024

// Bound is the least that a server with our promise does: it parses a webhook,
// checks its signature, and has the body on disk before it answers.
type Bound struct {
	app  *fiber.App
	file *os.File
	jobs chan job
	done chan struct{}
}

type job struct {
	body  []byte
	saved chan error
}

// NewBound makes a bound that writes into a directory.
func NewBound(dir, appSecret string) (*Bound, error) {
	f, err := os.Create(filepath.Join(dir, "bound.log"))
	if err != nil {
		return nil, fmt.Errorf("make the bound's file: %w", err)
	}
	b := &Bound{
		app:  fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 4_500_000}),
		file: f, jobs: make(chan job, maxGroup), done: make(chan struct{}),
	}
	b.app.Post("/", func(c *fiber.Ctx) error { return b.receive(c, appSecret) })
	go b.commit()
	return b, nil
}

func (b *Bound) receive(c *fiber.Ctx, appSecret string) error {
	if !whatsapp.Verify(c.Get("X-Hub-Signature-256"), c.Body(), appSecret) {
		return c.SendStatus(fiber.StatusForbidden)
	}
	if _, err := whatsapp.Parse(c.Body()); err != nil {
		return c.SendStatus(fiber.StatusBadRequest)
	}
	j := job{body: c.Body(), saved: make(chan error, 1)}
	b.jobs <- j
	if err := <-j.saved; err != nil {
		return err
	}
	return c.JSON(struct{}{})
}

// commit writes whatever waits and syncs it once.
func (b *Bound) commit() {
	defer close(b.done)
	var buffer []byte
	for first := range b.jobs {
		group := []job{first}
		for len(group) < maxGroup && len(b.jobs) > 0 {
			group = append(group, <-b.jobs)
		}
		buffer = buffer[:0]
		for _, j := range group {
			buffer = append(append(buffer, j.body...), '\n')
		}
		_, err := b.file.Write(buffer)
		if err == nil {
			err = syscall.Fdatasync(int(b.file.Fd()))
		}
		for _, j := range group {
			j.saved <- err
		}
	}
}

// Serve answers on a listener until Close.
func (b *Bound) Serve(l net.Listener) error { return b.app.Listener(l) }

// Close stops the bound.
func (b *Bound) Close() error {
	err := b.app.Shutdown()
	close(b.jobs)
	<-b.done
	return errors.Join(err, b.file.Close())
}
