package load

import (
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Meta gathers statuses of different people for one POST, for a moment or up to
// a bound. Meta: webhooks, overview.
const (
	gatherStatuses = 20 * time.Millisecond
	maxStatuses    = 50
)

// mail posts statuses to a callback. The crowd bounds them: there is never more
// than one of a turn.
type mail struct {
	client *fasthttp.Client
	target Target
	crowd  *crowd

	mutex   sync.Mutex
	waiting []status
	posts   int

	quit, over chan struct{}
	posting    sync.WaitGroup
}

func (m *mail) put(s status) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.waiting = append(m.waiting, s)
}

func (m *mail) run() {
	defer close(m.over)
	ticker := time.NewTicker(gatherStatuses)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-m.quit:
			return
		}
		m.mutex.Lock()
		all := m.waiting
		m.waiting = nil
		m.mutex.Unlock()
		for len(all) > 0 {
			n := min(len(all), maxStatuses)
			batch := all[:n:n]
			all = all[n:]
			m.posts++
			m.posting.Go(func() { m.post(batch) })
		}
	}
}

func (m *mail) post(batch []status) {
	body, signature := m.target.Webhooks.news(batch)
	if err := m.target.post(m.client, body, signature); err != nil {
		m.crowd.trouble("a webhook with %d statuses: %v", len(batch), err)
		return
	}
	m.crowd.took(batch)
}

// stop waits for what is on its way; the rest is not posted.
func (m *mail) stop() {
	close(m.quit)
	<-m.over
	m.posting.Wait()
}
