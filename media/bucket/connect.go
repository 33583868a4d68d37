package bucket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"gocloud.dev/blob/s3blob"
)

// connect opens the bucket as gocloud does, and then once more with a network of
// our own: the opener has no place for one.
func (s *Store) connect(ctx context.Context, at address, dial dialer) error {
	opener := &s3blob.URLOpener{}
	first, err := opener.OpenBucketURL(ctx, at.open)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "open bucket") {
			return inner // without the whole address
		}
		return err
	}
	var client *s3.Client
	if !first.As(&client) {
		return errors.New("gocloud.dev gives no S3 client")
	}
	options := client.Options()
	if options.Region == "" {
		return errors.New("the region is missing: say region=… there, or AWS_REGION in the environment")
	}
	// What it would log is told by errors, or not worth a line for each file.
	options.Logger, options.DisableLogOutputChecksumValidationSkipped = logging.Nop{}, true
	s.network = network(options.HTTPClient, dial)
	s.clock = &clock{client: s.network}
	options.HTTPClient = s.clock
	s.settings, s.client = opener.Options, s3.New(options)
	if s.bucket, err = s3blob.OpenBucket(ctx, s.client, s.name, &s.settings); err != nil {
		return err
	}
	return first.Close()
}

// network is the way to the service. It follows nobody elsewhere.
func network(usual s3.HTTPClient, dial dialer) *http.Client {
	buildable, ok := usual.(*awshttp.BuildableClient)
	if !ok {
		buildable = awshttp.NewBuildableClient()
	}
	transport := buildable.GetTransport()
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTime}).DialContext
	}
	transport.DialContext = steady(dial)
	transport.ResponseHeaderTimeout = idleTime
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
