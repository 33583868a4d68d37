package openai

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"parley/engine"
)

const (
	// DefaultBaseURL is OpenAI's own API.
	DefaultBaseURL = "https://api.openai.com/v1/"
	// DefaultContextTokens is the budget of a turn's history where neither
	// Config nor the model string names one.
	DefaultContextTokens = 32_000

	// maxIdle bounds the connections that are kept for the next turns.
	maxIdle = 512

	maxRounds = 8
	maxCalls  = 32
)

// Config says which server to ask, and how.
type Config struct {
	// BaseURL is the address that "chat/completions" is appended to, for
	// example "http://localhost:11434/v1"; empty means DefaultBaseURL.
	BaseURL string
	// APIKey is sent as bearer token; local servers often need none.
	APIKey string
	// ContextTokens bounds the history of a turn; 0 means
	// DefaultContextTokens.
	ContextTokens int
	// Transport carries the requests; nil means a transport of the engine's
	// own.
	Transport http.RoundTripper
}

// Engine asks one server. It may be used concurrently.
type Engine struct {
	chat          openai.ChatCompletionService
	recordings    openai.AudioTranscriptionService
	models        openai.ModelService
	key           string
	contextTokens int
}

// New makes an engine. It reads no environment and calls nobody yet.
func New(c Config) (*Engine, error) {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("the base URL of the model server must begin with http:// or https:// and name a host")
	}
	if strings.ContainsFunc(c.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the API key of the model server holds a character that no key has")
	}
	if c.ContextTokens == 0 {
		c.ContextTokens = DefaultContextTokens
	}

	options := []option.RequestOption{
		option.WithBaseURL(c.BaseURL),
		option.WithHTTPClient(&http.Client{Transport: bounded{c.transport()}}),
		option.WithMaxRetries(0),
	}
	if c.APIKey != "" {
		options = append(options, option.WithAPIKey(c.APIKey))
	}
	return &Engine{
		chat:          openai.NewChatCompletionService(options...),
		recordings:    openai.NewAudioTranscriptionService(options...),
		models:        openai.NewModelService(options...),
		key:           c.APIKey,
		contextTokens: c.ContextTokens,
	}, nil
}

func (c Config) transport() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = maxIdle, maxIdle // all of them go to one host
	return t
}

// Answer implements engine.Engine.
func (e *Engine) Answer(ctx context.Context, t engine.Turn) iter.Seq2[engine.Act, error] {
	return engine.Emitted(func(emit func(engine.Act) error) error { return e.run(ctx, t, emit) })
}

func (e *Engine) run(ctx context.Context, t engine.Turn, emit func(engine.Act) error) error {
	model, err := engine.ParseModel(t.Model)
	if err != nil {
		return err
	}
	r := newRun(e, model, t, emit)
	for range maxRounds {
		a, err := r.round(ctx)
		if err != nil {
			return err
		}
		if a.tokens > 0 {
			if err := emit(engine.Used{Tokens: a.tokens}); err != nil {
				return err
			}
		}
		if err := r.say(a); err != nil {
			return err
		}
		if len(a.calls) == 0 {
			return r.end(a)
		}
		if err := r.perform(a); err != nil {
			return err
		}
	}
	return emit(engine.Ended{Reason: engine.EndIteration})
}

// round asks until there is an answer or an error that no change to the
// request can cure.
func (r *run) round(ctx context.Context) (*answer, error) {
	for {
		a, err := r.ask(ctx)
		if err == nil || !r.adapt(err) {
			return a, err
		}
	}
}

// adapt changes the request so that the server's refusal no longer applies. It
// reports false when there is nothing left to change.
func (r *run) adapt(err error) bool {
	refused, ok := errors.AsType[*refusal](err)
	switch {
	case !ok:
		return false
	case refused.tooLong() && !r.shortened:
		before := len(r.history)
		r.shortened = true
		r.history = engine.Trim(r.history, engine.Estimate(r.history)/2)
		return len(r.history) < before
	case refused.mayBeBlind() && r.showsImages():
		r.model.Blind = true
		return true
	default:
		return false
	}
}

// say yields what the model wrote.
func (r *run) say(a *answer) error {
	text := a.text()
	if strings.TrimSpace(text) == "" {
		return nil
	}
	r.acted = true
	return r.emit(engine.Say{Text: text})
}

// end judges the answer that the model considers its last.
func (r *run) end(a *answer) error {
	switch {
	case a.finish == "content_filter":
		return &engine.Error{Reason: "the model's content filter stopped the answer"}
	case a.finish == "length" && !r.acted:
		return &engine.Error{Reason: fmt.Sprintf(
			"the model %q used up its output limit before it answered; raise max_tokens", r.model.Name)}
	case a.finish == "length":
		return r.emit(engine.Ended{Reason: engine.EndLength})
	case !r.acted:
		return &engine.Error{Reason: "the model gave an empty answer", Transient: true}
	default:
		return nil
	}
}
