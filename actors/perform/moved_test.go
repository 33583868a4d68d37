package perform_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"parley/actors"
	"parley/actors/perform"
	"parley/cluster"
	"parley/domain"
	"parley/domain/bot"
	"parley/domain/conversation"
	"parley/domain/integration"
	"parley/engine"
	"parley/engine/script"
	"parley/events"
	"parley/events/memory"
	"parley/events/vault"
	"parley/whatsapp"
	"parley/whatsapp/simulator"
)

// moving puts commands to the node that an actor moves from, and questions to
// the one that it moves to.
type moving struct{ from, to actors.Asker }

func (m moving) Ask(ctx context.Context, to domain.Address, c domain.Command) (domain.Result, error) {
	return m.from.Ask(ctx, to, c)
}

func (m moving) Query(ctx context.Context, to domain.Address, question any) (any, error) {
	return m.to.Query(ctx, to, question)
}

// The new owner has the conversation in memory, as it was before the answer.
func TestAnAnswerGoesOutAtOnceAlthoughTheConversationMoves(t *testing.T) { // P4
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, store: memory.New()}
		meta := simulator.New(simulator.Config{Faults: simulator.Calm(), Deliver: simulator.Through(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))})
		defer meta.Close()
		meta.Connect(simulator.Number{ID: "106540352242922", Token: "EAAG-token", Callback: "http://parley.test/"})
		secrets, err := vault.New(w.store, bytes.Repeat([]byte{1}, vault.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		logger := slog.New(slog.DiscardHandler)
		talk := &perform.Conversation{
			Store: w.store, Vault: secrets, Logger: logger, Model: "script", TurnTime: time.Minute, SendTime: time.Second,
			Graph: whatsapp.NewClient("http://graph.test", "v25.0", meta.Transport()),
			Pacer: perform.NewPacer(80), Taps: perform.NewTaps(), Metrics: perform.NewMetrics(nil),
			Engine: script.Func(func(engine.Turn) []script.Step {
				return []script.Step{script.Wait(time.Second), script.Say("Here you are.")}
			}),
		}
		w.openTalk(actors.PerformerFunc(func(ctx context.Context, work actors.Work) error {
			work.Asker = moving{w.nodes[0], w.nodes[1]}
			return talk.Perform(ctx, work)
		}))
		w.openTalk(nil)
		defer w.close()
		token, err := secrets.Seal(t.Context(), events.Metadata{}, "i1", events.NewSecret("EAAG-token"))
		if err != nil {
			t.Fatal(err)
		}
		w.ask(0, events.BotCategory, "b1", "acme", bot.Create{})
		w.ask(0, events.IntegrationCategory, "i1", "acme", integration.Create{Changes: integration.Changes{
			BotID: domain.Some("b1"), PhoneNumberID: domain.Some("106540352242922"), AccessToken: domain.Some(token),
		}})
		id := events.ConversationID("i1", "15551230001")
		w.ask(0, events.ConversationCategory, id, "acme", conversation.Receive{
			Policy: conversation.Policy{Allowed: true, BotID: "b1"},
			Messages: []conversation.Inbound{{
				Message: events.NewKey(), Session: events.NewKey(), WAMID: "wamid.1", Kind: "text", Text: "Hello",
				From: "15551230001", At: events.At(time.Now()), Opens: true,
			}},
		})
		time.Sleep(1500 * time.Millisecond) // it is gathered, and the engine thinks
		if _, err := w.nodes[1].Query(t.Context(), domain.Address{Kind: events.ConversationCategory, ID: id}, actors.Wake{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if got := len(meta.Accepted("15551230001")); got != 1 {
			t.Errorf("%d messages went out", got)
		}
	})
}

// openTalk starts a node on which conversations talk.
func (w *town) openTalk(p actors.Performer) {
	w.t.Helper()
	logger := slog.New(slog.DiscardHandler)
	host := actors.NewHost(w.store, actors.DefaultLimits(), logger, nil)
	node, err := cluster.Start(w.t.Context(), cluster.Config{
		Registry: &cluster.Alone{}, Host: host, Logger: logger,
		Kinds: []actors.Kind{
			actors.NewKind(host, bot.New(), nil), actors.NewKind(host, integration.New(), nil),
			actors.NewKind(host, conversation.New(conversation.DefaultRules()), p),
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.nodes = append(w.nodes, node)
}

func (w *town) close() {
	w.t.Helper()
	for _, n := range w.nodes {
		if err := n.Stop(context.Background(), time.Second); err != nil {
			w.t.Error(err)
		}
	}
}
