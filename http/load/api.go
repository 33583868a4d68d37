package load

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// API is what the owner of many integrations asks a server for.
type API struct {
	// Base is the address with the prefix of the operations, without a slash at
	// the end.
	Base, Secret string
	// Process is the server's, for measuring its CPU time; 0 does not.
	Process int

	client *fasthttp.Client
	ids    []string
	asked  atomic.Int64
}

// Fill makes as many integrations, and finds their IDs. It comes before
// everything else.
func (a *API) Fill(integrations, connections int) error {
	a.client = newClient(connections)
	a.ids = make([]string, integrations)
	errs := make(chan error, connections)
	var workers sync.WaitGroup
	for i := range connections {
		workers.Go(func() {
			for n := i; n < integrations; n += connections {
				answer, err := a.call("POST", "/integration/whatsapp/create", fmt.Sprintf(`{"name":"Shop %d","description":"One of many","meta":{"n":%d}}`, n, n))
				var made struct{ ID string }
				if err == nil {
					err = json.Unmarshal(answer, &made)
				}
				if a.ids[n] = made.ID; err != nil {
					errs <- err
					return
				}
			}
		})
	}
	workers.Wait()
	select {
	case err := <-errs:
		return fmt.Errorf("make %d integrations: %w", integrations, err)
	default:
		return nil
	}
}

// What is asked for under a mixed load, and how often of twenty times.
const (
	fetch = iota
	list
	update
)

var mix = [20]int{15: list, 16: list, 17: update, 18: update, 19: update}

// Mixed asks at a fixed rate, whatever the answers do, for one integration after
// the other: to read it (15 of 20 times), for a full page of the list (2), and
// to change it (3). It gives a result for each of the three; their rate is that
// of all together.
func (a *API) Mixed(ctx context.Context, connections, rate int, d time.Duration) []Result {
	var runs [3][]run
	for kind := range runs {
		runs[kind] = make([]run, connections)
	}
	a.client = newClient(connections)
	before := processTime(a.Process)
	took := openLoop(ctx, connections, rate, d, func(worker int, due time.Time) {
		n := a.asked.Add(1)
		kind := mix[n%int64(len(mix))]
		runs[kind][worker].record(a.ask(kind, n), due)
	})
	cpu := processTime(a.Process) - before
	var results []Result
	for kind, name := range []string{"fetch", "list, 100 of a page", "update"} {
		r := sum("parley, API, "+name, connections, rate, took, runs[kind])
		results = append(results, r)
	}
	total := results[fetch].Requests + results[list].Requests + results[update].Requests
	for i := range results {
		if a.Process != 0 && total > 0 {
			results[i].CPU = float64(cpu.Microseconds()) / float64(total) // of any of the three
		}
	}
	return results
}

func (a *API) ask(kind int, n int64) error {
	id := a.ids[rand.IntN(len(a.ids))]
	var err error
	switch kind {
	case fetch:
		_, err = a.call("GET", "/integration/whatsapp/"+id+"/fetch", "")
	case list:
		_, err = a.call("GET", "/integration/whatsapp/list?cursor="+id, "")
	case update:
		_, err = a.call("POST", "/integration/whatsapp/"+id+"/update", fmt.Sprintf(`{"meta":{"n":%d}}`, n))
	}
	return err
}

// Pages asks in turn for the first page of the list and for the last full one,
// as often as told, and gives what each took.
func (a *API) Pages(ctx context.Context, times int) (first, last Result, err error) {
	early, late, err := a.walk()
	if err != nil {
		return first, last, err
	}
	a.client = newClient(1)
	var runs [2]run
	began := time.Now()
	for i := 0; i < 2*times && ctx.Err() == nil; i++ {
		due := time.Now()
		_, err := a.call("GET", "/integration/whatsapp/list?order=asc&cursor="+url.QueryEscape([2]string{early, late}[i%2]), "")
		runs[i%2].record(err, due)
	}
	took := time.Since(began)
	return sum("parley, API, first page", 1, 0, took, runs[:1]), sum("parley, API, last page", 1, 0, took, runs[1:]), nil
}

// walk gives the cursors before the first page and before the last full one.
func (a *API) walk() (early, late string, err error) {
	for cursor := ""; ; {
		answer, err := a.call("GET", "/integration/whatsapp/list?order=asc&cursor="+url.QueryEscape(cursor), "")
		if err != nil {
			return "", "", err
		}
		var page struct {
			Items  []struct{}
			Cursor string
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return "", "", err
		}
		if len(page.Items) < 100 {
			return early, late, nil
		}
		late, cursor = cursor, page.Cursor
	}
}

// call calls an operation. The error says why it was not answered 200.
func (a *API) call(method, path, body string) ([]byte, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(a.Base + path)
	request.Header.SetMethod(method)
	request.Header.Set("Authorization", "Bearer "+a.Secret)
	if body != "" {
		request.Header.SetContentType("application/json")
		request.SetBodyString(body)
	}
	err := a.client.Do(request, response)
	if err == nil && response.StatusCode() != fasthttp.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, response.StatusCode(), response.Body())
	}
	return append([]byte(nil), response.Body()...), err
}
