package main

import (
	"context"
	"strings"

	"parley/http/load"
)

// apiReport is how fast the API answers the owner of many integrations.
type apiReport struct {
	Integrations int           `json:"integrations"`
	Results      []load.Result `json:"results"`
	// Late is what the last page takes, by the first.
	Late float64 `json:"last_page_p50_over_first"`
}

// pageTimes is how often each of two pages is asked for.
const pageTimes = 500

func (o benchOptions) apiRuns(ctx context.Context, r *apiReport) error {
	r.Integrations = o.integrations
	return withWorld(load.Never, func(world *load.World) error {
		return o.withServer(ctx, world, func(t load.Target) error {
			base, _, _ := strings.Cut(t.URLs[0], "/integration/")
			api := &load.API{Base: base, Secret: benchSecret, Process: t.Processes[0]}
			if err := api.Fill(o.integrations, o.connections); err != nil {
				return err
			}
			first, last, err := api.Pages(ctx, pageTimes)
			if err != nil {
				return err
			}
			r.Late = last.P50 / first.P50
			r.Results = append(api.Mixed(ctx, o.connections, o.apiRate, o.duration), first, last)
			return nil
		})
	})
}
