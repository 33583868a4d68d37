package load

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"parley/whatsapp"
)

// maxGroup bounds how many bodies one sync makes durable.
const maxGroup = 1024

// Bound is the least that a server with our promise does: it parses a webhook,
// checks its signature, and has the body on disk before it answers. With a
// world it goes on to answer the message, and saves every step.
type Bound struct {
	app    *fiber.App
	file   *os.File
	jobs   chan job
	done   chan struct{}
	world  string
	client *fasthttp.Client
	turns  sync.WaitGroup
	logger *slog.Logger
}

type job struct {
	body  []byte
	saved chan error
}

// NewBound makes a bound that writes into a directory. world is the address of
// the model and of Meta; "" is none, and then it only takes webhooks in.
func NewBound(dir, appSecret, world string, logger *slog.Logger) (*Bound, error) {
	f, err := os.Create(filepath.Join(dir, "bound.log"))
	if err != nil {
		return nil, fmt.Errorf("make the bound's file: %w", err)
	}
	b := &Bound{
		app:  fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 4_500_000}),
		file: f, jobs: make(chan job, maxGroup), done: make(chan struct{}),
		world: world, client: newClient(maxGroup), logger: logger,
	}
	b.app.Post("/", func(c *fiber.Ctx) error { return b.receive(c, appSecret) })
	go b.commit()
	return b, nil
}

func (b *Bound) receive(c *fiber.Ctx, appSecret string) error {
	if !whatsapp.Verify(c.Get("X-Hub-Signature-256"), c.Body(), appSecret) {
		return c.SendStatus(fiber.StatusForbidden)
	}
	parsed, err := whatsapp.Parse(c.Body())
	if err != nil {
		return c.SendStatus(fiber.StatusBadRequest)
	}
	if b.world != "" && len(parsed.Statuses) > 0 {
		err = b.saveStatuses(parsed.Statuses)
	} else {
		err = b.save(c.Body())
	}
	if err != nil {
		return err
	}
	if b.world != "" {
		for _, m := range parsed.Messages {
			b.turns.Go(func() { b.answer(m) })
		}
	}
	return c.JSON(struct{}{})
}

// save returns when a body is on disk.
func (b *Bound) save(body []byte) error {
	j := job{body: body, saved: make(chan error, 1)}
	b.jobs <- j
	return <-j.saved
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
	b.turns.Wait()
	close(b.jobs)
	<-b.done
	return errors.Join(err, b.file.Close())
}
