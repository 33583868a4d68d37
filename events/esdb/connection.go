package esdb

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"parley/events"
)

// settings are those that a connection string may have, in small letters.
var settings = []string{
	"tls", "tlsverifycert", "tlscafile", "usercertfile", "userkeyfile", "nodepreference",
	"discoveryinterval", "gossiptimeout", "maxdiscoverattempts", "keepaliveinterval", "keepalivetimeout",
	"defaultdeadline", "connectionname",
}

// Check reports what is wrong with a connection string, as Open does.
func Check(connection events.Secret) error {
	_, err := parse(connection)
	return err
}

// parse reads a connection string. Its errors never show it: it may hold a
// password. A client tries to connect once; who tries again is the store,
// without end, with a client that is new each time.
func parse(connection events.Secret) (*client.Configuration, error) {
	text := connection.Reveal()
	if !strings.HasPrefix(text, "esdb://") && !strings.HasPrefix(text, "esdb+discover://") {
		return nil, errors.New("a connection string begins with esdb:// or esdb+discover://")
	}
	given := map[string]string{}
	_, query, _ := strings.Cut(text, "?")
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key = strings.ToLower(key); key == "" {
			continue
		}
		if !slices.Contains(settings, key) {
			return nil, fmt.Errorf("the connection string has an unknown setting %q", key)
		}
		given[key] = value
	}
	config, err := client.ParseConnectionString(text)
	if err != nil {
		return nil, fmt.Errorf("the connection string is not one of EventStoreDB, such as esdb://127.0.0.1:2113?tls=false%s", reason(err))
	}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("the connection string: %w", err)
	}
	config.MaxDiscoverAttempts, config.DiscoveryInterval = 1, 0
	if given["gossiptimeout"] == "" {
		config.GossipTimeout = 2 // seconds
	}
	return config, nil
}

// reason tells what is wrong where it is about a setting or a file. All else
// may repeat what is secret.
func reason(err error) string {
	var parse *url.Error
	if errors.As(err, &parse) {
		return ""
	}
	if text := err.Error(); strings.HasPrefix(text, "Setting '") || strings.HasPrefix(text, "open ") {
		return ": " + text
	}
	return ""
}
