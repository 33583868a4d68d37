package bucket_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"parley/media"
	"parley/media/bucket"
	"parley/media/s3test"
)

func TestAddresses(t *testing.T) {
	for name, value := range s3test.Environment() {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_REGION", "")
	const secret = "bucket-test-secret-in-an-address"
	for address, problem := range map[string]string{
		"s3://b?region=eu-central-1":                 "",
		"s3://b/?region=eu-central-1&prefix=parley/": "",
		"s3://b?region=auto&endpoint=https%3A%2F%2Fr2.test&hostname_immutable=true&disable_https=false":             "",
		"s3://b?region=r&endpoint=http://minio:9000&use_path_style=true&request_checksum_calculation=when_required": "",
		"s3://b":                              "region",
		"s3://":                               "s3://bucket",
		"s3://b/parley?region=r":              "prefix",
		"s3://key:" + secret + "@b?region=r":  "AWS_ACCESS_KEY_ID",
		"s3://b?region=r&secret=" + secret:    `no parameter "secret"`,
		"s3://b?region=r&endpoint=minio:9000": "endpoint",
		"s3://b?region=r&endpoint=http://u:" + secret + "@m": "endpoint",
		"s3://b?region=r&use_path_style=" + secret:           "use_path_style",
		"s3://b?region=r&prefix=%zz":                         "parameters",
		"s3://b?region=r&role=" + secret[:3]:                 "role",
	} {
		s, err := bucket.Open(t.Context(), bucket.Config{Address: address, Drafts: t.TempDir()})
		switch {
		case problem == "" && err != nil:
			t.Errorf("%s: %v", address, err)
		case problem == "":
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		case err == nil:
			t.Errorf("%s was opened", address)
		case !strings.Contains(err.Error(), problem):
			t.Errorf("%s: %v, expected a word of %s", address, err, problem)
		}
		if err != nil && strings.Contains(err.Error(), secret) && !strings.Contains(address, "use_path_style") {
			t.Errorf("%s: the error repeats it: %v", address, err)
		}
	}
}

func TestTheCheckSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		fault   s3test.Fault
		problem string
		passes  bool // by itself
	}{
		"all is well":         {nil, "", false},
		"no such bucket":      {s3test.Refuse(404, "NoSuchBucket"), "there is no bucket media", false},
		"denied":              {s3test.Refuse(403, "AccessDenied"), "does not let these credentials list", false},
		"an unknown key":      {s3test.Refuse(403, "InvalidAccessKeyId"), "InvalidAccessKeyId", false},
		"read only":           {s3test.Refuse(403, "AccessDenied", "PUT"), "does not let these credentials write", false},
		"write only":          {s3test.Refuse(403, "AccessDenied", "GET"), "does not let these credentials list", false},
		"never to be removed": {s3test.Refuse(403, "AccessDenied", "DELETE"), "does not let these credentials remove", false},
		"in another region":   {s3test.Refuse(301, "PermanentRedirect"), "another region", false},
		"out of order":        {s3test.Refuse(500, "InternalError"), "list in bucket media", true},
		"too much to do":      {s3test.Refuse(503, "SlowDown"), "list in bucket media", true},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, s *bucket.Store, server *s3test.Server) {
				server.Break(c.fault)
				err := s.Check(t.Context())
				if (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
					t.Errorf("error %v, expected %q", err, c.problem)
				}
				if errors.Is(err, media.ErrUnavailable) != c.passes {
					t.Errorf("error %v, expected that it passes by itself: %v", err, c.passes)
				}
				checkSilent(t, err)
				if keys := server.Keys(t); len(keys) > 0 && name != "never to be removed" {
					t.Errorf("the check leaves %v", keys)
				}
			})
		})
	}
}

func TestTheCheckOfABucketThatCannotBeReached(t *testing.T) {
	for name, value := range s3test.Environment() {
		t.Setenv(name, value)
	}
	synctest.Test(t, func(t *testing.T) {
		for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
			"nobody listens": func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("connection refused") },
			"nobody answers": func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
		} {
			s, err := bucket.Open(t.Context(), bucket.Config{Address: "s3://media?region=r&endpoint=http://s3.test", Drafts: t.TempDir(), Dial: dial})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Check(t.Context()); !errors.Is(err, media.ErrUnavailable) {
				t.Errorf("%s: %v, expected ErrUnavailable", name, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTheCheckWithoutCredentials(t *testing.T) {
	server := s3test.Start(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	err := open(t, server, "").Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") || errors.Is(err, media.ErrUnavailable) {
		t.Errorf("error %v, expected one that names the settings", err)
	}
}
