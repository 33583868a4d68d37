package parley

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	nethttp "net/http"
	"path/filepath"

	"parley/engine/rivescript"
	"parley/events"
	"parley/http/auth"
	"parley/whatsapp/simulator"
)

// The business that people try.
const (
	tryAccount = "try"
	tryNumber  = "100000000000001"
	tryDisplay = "+1 555 010 0000"
	tryToken   = "EAAG-simulated" // of no use anywhere else
)

// Trial is a node with a simulated WhatsApp, a demo bot and a chat page: what a
// newcomer sees first, with no accounts and no other service.
type Trial struct {
	*Node
	simulator *simulator.Simulator
	secret    string
	// Integration is the demo bot's integration.
	Integration string
}

// StartTrial brings a trial up. Its data lies apart from a real server's, in
// the directory "try" of the data directory.
func StartTrial(ctx context.Context, c Config, logger *slog.Logger, listener net.Listener) (*Trial, error) {
	t := &Trial{simulator: simulator.New(simulator.Config{Seed: rand.Uint64(), Faults: simulator.Calm()}), secret: auth.NewSecret()}
	t.connect("", "") // what is still owed may be sent at once
	c.Data = filepath.Join(c.Data, "try")
	c.MasterKeyFile = filepath.Join(c.Data, "master.key")
	c.Media = "file://" + filepath.ToSlash(absolute(filepath.Join(c.Data, "media"))) // a media store belongs to one log
	c.TLS = TLS{}                                                                    // Meta, and whoever chats, are on this machine
	c.Events, c.LogDoor = events.Secret{}, LogDoor{}                                 // nobody plays in a real log
	c.Tokens = map[string]events.Secret{tryAccount: events.NewSecret(t.secret)}
	node, err := Start(ctx, c, Parts{
		Graph: t.simulator.Transport(),
		Pages: map[string]nethttp.Handler{
			"/try": t.simulator.Chat(tryNumber),
			"/":    nethttp.RedirectHandler("/try", nethttp.StatusFound), // for who opens the address that is shown
		},
	}, logger, listener)
	if err != nil {
		t.simulator.Close()
		return nil, err
	}
	t.Node = node
	if err := t.furnish(); err != nil {
		return nil, errors.Join(fmt.Errorf("set up the demo: %w", err), t.Stop(ctx))
	}
	return t, nil
}

// base is where the trial can be reached.
func (t *Trial) base() string { return "http://" + callable(t.listener.Addr().String()) }

// furnish makes the demo bot and its integration through the API, as anybody
// would, and connects the simulated number with them.
func (t *Trial) furnish() error {
	appSecret := auth.NewSecret()
	bot, err := t.ensure("/bot", "demo", map[string]any{
		"name": "Demo shop", "model": rivescript.Model, "backstory": rivescript.Demo,
	})
	if err != nil {
		return err
	}
	t.Integration, err = t.ensure("/integration/whatsapp", "demo", map[string]any{
		"name": "Demo shop", "botId": bot, "phoneNumberId": tryNumber, "accessToken": tryToken, "appSecret": appSecret,
	})
	if err != nil {
		return err
	}
	t.connect(t.base()+"/api/v1/integration/whatsapp/"+t.Integration+"/callback", appSecret)
	return nil
}

// connect lets the simulated Meta know the number.
func (t *Trial) connect(callback, appSecret string) {
	t.simulator.Connect(simulator.Number{
		ID: tryNumber, WABAID: "100000000000002", Display: tryDisplay, Token: tryToken,
		Callback: callback, AppSecret: appSecret,
	})
}

// ensure makes the thing with an alias, or brings it up to date.
func (t *Trial) ensure(path, alias string, fields map[string]any) (id string, err error) {
	id, err = t.post(path+"/@"+alias+"/update", fields)
	if errors.Is(err, errNotThere) {
		fields["alias"] = alias
		id, err = t.post(path+"/create", fields)
	}
	return id, err
}

var errNotThere = errors.New("not found")

// post calls the API and gives the ID that it answers.
func (t *Trial) post(path string, body any) (id string, err error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	r, err := nethttp.NewRequest(nethttp.MethodPost, t.base()+"/api/v1"+path, bytes.NewReader(encoded))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+t.secret)
	r.Header.Set("Content-Type", "application/json")
	response, err := nethttp.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() // read to the end below
	var answer struct{ ID, Message string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	switch response.StatusCode {
	case nethttp.StatusOK:
		return answer.ID, nil
	case nethttp.StatusNotFound:
		return "", errNotThere
	}
	return "", fmt.Errorf("%s: %s", path, answer.Message)
}

// Welcome tells a person what there is to see.
func (t *Trial) Welcome(w io.Writer) {
	fmt.Fprintf(w, `
Parley is up, with a simulated WhatsApp and a demo bot.

  Chat with it:      %[1]s/try
  See what happened: curl -H 'Authorization: Bearer %[2]s' \
                       '%[1]s/api/v1/event/log/list?order=asc'

The secret, and what the chat page shows, last until you stop this; what Parley
knows stays in %[3]s. Stop it with Ctrl-C, at any moment: it goes on where it was.

`, t.base(), t.secret, t.config.Data)
}

// Stop ends the node and its simulated world.
func (t *Trial) Stop(ctx context.Context) error {
	err := t.Node.Stop(ctx)
	t.simulator.Close()
	return err
}
