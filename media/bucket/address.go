package bucket

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// address is where a bucket is.
type address struct {
	name, prefix string
	// open is what gocloud's opener is given.
	open *url.URL
}

// parameters are what gocloud.dev/blob/s3blob and gocloud.dev/aws know.
var parameters = []string{
	"region", "endpoint", "hostname_immutable", "use_path_style", "disable_https", "profile", "role", "anonymous", "dualstack", "fips",
	"accelerate", "ssetype", "kmskeyid", "rate_limiter_capacity", "request_checksum_calculation", "response_checksum_validation",
}

// parse reads an address. Its errors say none of the values: somebody may have
// written credentials into it.
func parse(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" {
		return address{}, errors.New("media address: it must be s3://bucket?region=…")
	}
	switch {
	case u.User != nil:
		return address{}, errors.New("media address: credentials do not belong there, but into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	case strings.Trim(u.Path, "/") != "" || u.Fragment != "":
		return address{}, fmt.Errorf("media address s3://%s: a place in the bucket is named by ?prefix=", u.Host)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return address{}, fmt.Errorf("media address s3://%s: the parameters cannot be read", u.Host)
	}
	at := address{name: u.Host, prefix: q.Get("prefix")}
	q.Del("prefix")
	for name := range q {
		if !slices.Contains(parameters, name) {
			return address{}, fmt.Errorf("media address s3://%s: there is no parameter %q", u.Host, name)
		}
	}
	if err := checkEndpoint(q.Get("endpoint")); err != nil {
		return address{}, fmt.Errorf("media address s3://%s: %w", u.Host, err)
	}
	at.open = &url.URL{Scheme: "s3", Host: u.Host, RawQuery: q.Encode()}
	return at, nil
}

func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("endpoint must be an http:// or https:// address without a password")
	}
	return nil
}
