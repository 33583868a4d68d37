package parley

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parley/events"
	"parley/whatsapp"
)

// Config is what an operator can set. Settings lists the names, defaults and
// meanings.
type Config struct {
	Listen string
	Data   string
	// Events is where the log is: "" or "local" in the data directory, or an
	// EventStoreDB's connection string. LogDoor serves a local one to others.
	Events    events.Secret
	LogDoor   LogDoor
	Tokens    map[string]events.Secret // account → secret
	PublicURL string
	// Origin is PublicURL if it was set, and "" if it was guessed.
	Origin        string
	GraphURL      string
	GraphVersion  string
	Model         string
	OpenAIKey     events.Secret
	OpenAIURL     string
	MasterKeyFile string
	LogLevel      slog.Level
	LogFormat     string
	// Tasks bounds the turns and sends under way at a time, TurnTime one turn.
	Tasks    int
	TurnTime time.Duration
	// Settle is how long a send of unknown outcome waits for a status before
	// it is tried again.
	Settle time.Duration
	// Gather is how long a turn waits for further messages, Pause how long the
	// bot is silent after a person answered in its place.
	Gather, Pause time.Duration
	// Apology is what people are told when the model fails for good.
	Apology string
	// NumberRate is how many messages a phone number sends in a second.
	NumberRate int
	// TLS says which certificate is shown; without one there is no TLS.
	TLS TLS
	// Rate is how many requests per second a secret may make; 0 is any number.
	Rate float64
	// Media is the address of the media store.
	Media string
	// UploadLimit bounds what is uploaded through the API, in bytes; 0 means
	// the media store's own limit.
	UploadLimit int64
	// TranscribeModel writes voice messages down; "" is none.
	TranscribeModel string
	// Cluster says which other nodes there are.
	Cluster Cluster
}

// setting is one thing that can be set, by flag or environment.
type setting struct {
	name, env, value, help string
	set                    func(c *Config, value string) error
}

// settings is the table of all settings, in the order they are shown.
var settings = []setting{
	{
		"listen", "PARLEY_LISTEN", "127.0.0.1:8080", "address of the API, the callback and the pages",
		func(c *Config, v string) error { c.Listen = v; return nil },
	},
	{
		"data", "PARLEY_DATA", "./data", "directory of the log, the read models and the generated keys",
		func(c *Config, v string) error { c.Data = v; return nil },
	},
	{
		"events", "PARLEY_EVENTS", "local", "where the log is: local, in the data directory, or the connection string of an EventStoreDB, for example " +
			"esdb://user:password@host:2113?tlsCAFile=ca.crt",
		func(c *Config, v string) error { c.Events = events.NewSecret(v); return checkEvents(c.Events) },
	},
	{
		"log-listen", "PARLEY_LOG_LISTEN", "", "address at which a local log is served to others, as an EventStoreDB is; nowhere by default. " +
			"Beyond this machine it needs TLS and a password",
		func(c *Config, v string) error { c.LogDoor.Listen = v; return nil },
	},
	{
		"log-user", "PARLEY_LOG_USER", "", "user:password that those must know who use the log",
		func(c *Config, v string) error { return c.LogDoor.User.set(v) },
	},
	{
		"log-reader", "PARLEY_LOG_READER", "", "user:password of those who may only read the log",
		func(c *Config, v string) error { return c.LogDoor.Reader.set(v) },
	},
	{
		"log-tls-cert", "PARLEY_LOG_TLS_CERT", "", "certificate file for those who use the log; read again when it changes",
		func(c *Config, v string) error { c.LogDoor.Cert = v; return nil },
	},
	{
		"log-tls-key", "PARLEY_LOG_TLS_KEY", "", "key file of that certificate",
		func(c *Config, v string) error { c.LogDoor.Key = v; return nil },
	},
	{
		"tokens", "PARLEY_TOKENS", "", "account:secret pairs that may call the API, separated by commas, beside those of parley token; " +
			"without any, the first start makes an account and prints its secret",
		setTokens,
	},
	{
		"public-url", "PARLEY_PUBLIC_URL", "", "base of the addresses that Meta and clients are given; " +
			"the listen address by default, or https:// and the first of the hosts with automatic certificates",
		func(c *Config, v string) error { c.PublicURL = strings.TrimRight(v, "/"); return checkURL(v) },
	},
	{
		"tls-cert", "PARLEY_TLS_CERT", "", "certificate file in PEM, with its chain; read again when it changes",
		func(c *Config, v string) error { c.TLS.Cert = v; return nil },
	},
	{
		"tls-key", "PARLEY_TLS_KEY", "", "key file of the certificate",
		func(c *Config, v string) error { c.TLS.Key = v; return nil },
	},
	{
		"tls-hosts", "PARLEY_TLS_HOSTS", "", "hosts to get certificates for, separated by commas; the authority must reach --listen at port 443. " +
			"Whoever names hosts agrees to the terms of the authority",
		func(c *Config, v string) (err error) { c.TLS.Hosts, err = hosts(v); return err },
	},
	{
		"tls-ca", "PARLEY_TLS_CA", "https://acme-v02.api.letsencrypt.org/directory", "ACME directory of the authority that certificates come from",
		func(c *Config, v string) error { c.TLS.CA = v; return checkURL(v) },
	},
	{
		"tls-plain", "PARLEY_TLS_PLAIN", "", "address without TLS that leads to the one with it, for example :80; the authority may use it, too",
		func(c *Config, v string) error { c.TLS.Plain = v; return nil },
	},
	{
		"graph-url", "PARLEY_GRAPH_URL", whatsapp.DefaultURL, "Meta's Graph API",
		func(c *Config, v string) error { c.GraphURL = strings.TrimRight(v, "/"); return checkURL(v) },
	},
	{
		"graph-version", "PARLEY_GRAPH_VERSION", whatsapp.DefaultVersion, "version of the Graph API",
		func(c *Config, v string) error { c.GraphVersion = v; return nil },
	},
	{
		"model", "PARLEY_MODEL", "", "model of bots that name none, as name or name/key=value/…; rivescript is built in",
		func(c *Config, v string) error { c.Model = v; return nil },
	},
	{
		"openai-api-key", "OPENAI_API_KEY", "", "key of the OpenAI-compatible server",
		func(c *Config, v string) error { c.OpenAIKey = events.NewSecret(v); return nil },
	},
	{
		"openai-base-url", "OPENAI_BASE_URL", "", "address of the OpenAI-compatible server, for example http://127.0.0.1:11434/v1",
		func(c *Config, v string) error { c.OpenAIURL = v; return checkURL(v) },
	},
	{
		"master-key-file", "PARLEY_MASTER_KEY_FILE", "", "file with the key that seals secrets; made in the data directory by default",
		func(c *Config, v string) error { c.MasterKeyFile = v; return nil },
	},
	{
		"turns", "PARLEY_TURNS", "256", "turns that may be under way at a time",
		func(c *Config, v string) (err error) { c.Tasks, err = positive(v); return err },
	},
	{
		"turn-time", "PARLEY_TURN_TIME", "2m", "how long the model may take for one answer",
		func(c *Config, v string) (err error) { c.TurnTime, err = duration(v); return err },
	},
	{
		"settle", "PARLEY_SETTLE", "30s", "how long a send of unknown outcome waits for a status before it is tried again",
		func(c *Config, v string) (err error) { c.Settle, err = duration(v); return err },
	},
	{
		"gather", "PARLEY_GATHER", "1s", "how long to wait for further messages that are answered together; 0 is not at all",
		func(c *Config, v string) (err error) { c.Gather, err = durationOrNone(v); return err },
	},
	{
		"pause", "PARLEY_PAUSE", "1h", "how long the bot is silent after somebody answered from the business's own phone; 0 is not at all",
		func(c *Config, v string) (err error) { c.Pause, err = durationOrNone(v); return err },
	},
	{
		"apology", "PARLEY_APOLOGY", "", "what people are told when the model fails for good; nothing by default",
		func(c *Config, v string) error { c.Apology = v; return nil },
	},
	{
		"number-rate", "PARLEY_NUMBER_RATE", "80", "messages that a phone number may send in a second; Meta raises its limit with use",
		func(c *Config, v string) (err error) { c.NumberRate, err = positive(v); return err },
	},
	{
		"rate", "PARLEY_RATE", "0", "requests that a secret may make in a second, for example 20 or 0.5; 0 is any number",
		func(c *Config, v string) (err error) { c.Rate, err = ratio(v); return err },
	},
	{
		"media", "PARLEY_MEDIA", "", "address of the media store, for example file:///srv/media or s3://bucket?region=eu-central-1; in the data directory by default",
		func(c *Config, v string) error { c.Media = v; return nil },
	},
	{
		"upload-limit", "PARLEY_UPLOAD_LIMIT", "100", "largest file that may be uploaded through the API, in megabytes",
		func(c *Config, v string) error { n, err := positive(v); c.UploadLimit = int64(n) << 20; return err },
	},
	{
		"transcribe-model", "PARLEY_TRANSCRIBE_MODEL", "", "model of the OpenAI-compatible server that writes voice messages down, for example whisper-1",
		func(c *Config, v string) error { c.TranscribeModel = v; return nil },
	},
	{
		"cluster", "PARLEY_CLUSTER", "none", "where this node finds the others: none, or etcd://[user:password@]host:port with more hosts after commas; " +
			"etcds:// is by TLS, with ?tlsCAFile=, userCertFile= and userKeyFile= if need be",
		func(c *Config, v string) error { return c.Cluster.set(v) },
	},
	{
		"cluster-name", "PARLEY_CLUSTER_NAME", "parley", "name that tells these nodes from others in the same etcd",
		func(c *Config, v string) error { return c.Cluster.setName(v) },
	},
	{
		"cluster-listen", "PARLEY_CLUSTER_LISTEN", "", "address at which other nodes reach this one; beyond a private network it needs TLS",
		func(c *Config, v string) error { c.Cluster.Listen = v; return nil },
	},
	{
		"cluster-address", "PARLEY_CLUSTER_ADDRESS", "", "address that other nodes dial; where this one listens by default",
		func(c *Config, v string) error { c.Cluster.Address = v; return nil },
	},
	{
		"cluster-tls-cert", "PARLEY_CLUSTER_TLS_CERT", "", "certificate file by which this node proves itself to the others; read again when it changes",
		func(c *Config, v string) error { c.Cluster.Cert = v; return nil },
	},
	{
		"cluster-tls-key", "PARLEY_CLUSTER_TLS_KEY", "", "key file of that certificate",
		func(c *Config, v string) error { c.Cluster.Key = v; return nil },
	},
	{
		"cluster-tls-ca", "PARLEY_CLUSTER_TLS_CA", "", "certificate file of the authority that the nodes' certificates are from, and nobody else's",
		func(c *Config, v string) error { c.Cluster.CA = v; return nil },
	},
	{
		"cluster-tls-name", "PARLEY_CLUSTER_TLS_NAME", "", "name that all nodes' certificates have, for nodes that share one; the dialed address by default",
		func(c *Config, v string) error { c.Cluster.CertName = v; return nil },
	},
	{
		"log-level", "PARLEY_LOG_LEVEL", "info", "debug, info, warn or error",
		func(c *Config, v string) error {
			if c.LogLevel.UnmarshalText([]byte(v)) != nil {
				return errors.New("must be debug, info, warn or error")
			}
			return nil
		},
	},
	{
		"log-format", "PARLEY_LOG_FORMAT", "text", "text or json",
		func(c *Config, v string) error {
			c.LogFormat = v
			if v != "text" && v != "json" {
				return errors.New("must be text or json")
			}
			return nil
		},
	},
}

// LoadConfig reads the settings: flags first, then the environment, then
// defaults. Errors: flag.ErrHelp when help was asked for and printed; else
// which setting is wrong, and where it came from.
func LoadConfig(command string, args []string, getenv func(string) string, output io.Writer) (Config, error) {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(output)
	flags.Usage = func() { printSettings(output, command) }
	given := make([]*string, len(settings))
	for i, s := range settings {
		given[i] = flags.String(s.name, s.value, s.help)
	}
	if err := flags.Parse(args); err != nil {
		return Config{}, err
	}
	if flags.NArg() > 0 {
		return Config{}, fmt.Errorf("%s takes no argument %q; see parley %s --help", command, flags.Arg(0), command)
	}
	byFlag := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { byFlag[f.Name] = true })
	var c Config
	for i, s := range settings {
		value, from := *given[i], "--"+s.name
		if env := getenv(s.env); env != "" && !byFlag[s.name] {
			value, from = env, s.env
		}
		if err := s.set(&c, value); err != nil {
			return c, fmt.Errorf("%s: %w", from, err)
		}
	}
	if err := errors.Join(c.TLS.check(), c.LogDoor.check(c.Events), c.Cluster.check(c)); err != nil {
		return c, err
	}
	c.complete()
	return c, nil
}

// complete fills in what depends on other settings.
func (c *Config) complete() {
	c.Origin = c.PublicURL
	if c.PublicURL == "" {
		c.PublicURL = c.TLS.publicURL(c.Listen)
	}
	if c.Media == "" {
		c.Media = "file://" + filepath.ToSlash(absolute(filepath.Join(c.Data, "media")))
	}
	if c.MasterKeyFile == "" {
		c.MasterKeyFile = filepath.Join(c.Data, "master.key")
	}
}

// absolute gives a path from the root. It fails only where there is no working
// directory, and then the path fails when it is used.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

func printSettings(w io.Writer, command string) {
	fmt.Fprintf(w, "Usage: parley %s [--setting value …]\n\nSettings come from flags, then the environment, then defaults.\n\n", command)
	for _, s := range settings {
		value := ""
		if s.value != "" {
			value = " (default " + s.value + ")"
		}
		fmt.Fprintf(w, "  --%s, %s\n        %s%s\n", s.name, s.env, s.help, value)
	}
}

func setTokens(c *Config, v string) error {
	c.Tokens = map[string]events.Secret{}
	for pair := range strings.SplitSeq(v, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		account, secret, ok := strings.Cut(pair, ":")
		if !ok || secret == "" || checkAccount(account) != nil {
			return errors.New("must be account:secret pairs, separated by commas") // the value is secret
		}
		c.Tokens[account] = events.NewSecret(secret)
	}
	return nil
}

func checkURL(v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("must be an http:// or https:// address")
	}
	return nil
}

func positive(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return 0, errors.New("must be a whole number, 1 or more")
	}
	return n, nil
}

func ratio(v string) (float64, error) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return 0, errors.New("must be a number, 0 or more")
	}
	return n, nil
}

func duration(v string) (time.Duration, error) {
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, errors.New("must be a duration, for example 30s")
	}
	return d, nil
}

func durationOrNone(v string) (time.Duration, error) {
	if v == "0" {
		return 0, nil
	}
	return duration(v)
}

// NewLogger makes the logger that the settings ask for.
func (c Config) NewLogger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
