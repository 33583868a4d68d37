package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"parley/media/guard"
)

// A23: no fetch reaches into the private network.
func TestWhatIsPublic(t *testing.T) {
	public := []string{
		"8.8.8.8", "1.1.1.1", "157.240.1.60", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "169.253.0.1", "192.167.0.1", "223.255.255.255",
		"2a03:2880:f12f:83:face:b00c:0:25de", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
	}
	private := []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "4000::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1",
	}
	for _, a := range public {
		if !guard.IsPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s is taken for private", a)
		}
	}
	for _, a := range private {
		if guard.IsPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s is taken for public", a)
		}
	}
	if guard.IsPublic(netip.Addr{}) {
		t.Error("no address is taken for public")
	}
}

func TestControlTakesTCPToPublicAddressesOnly(t *testing.T) {
	cases := []struct {
		network, address string
		allowed          bool
	}{
		{"tcp4", "8.8.8.8:443", true},
		{"tcp6", "[2606:4700::1111]:443", true},
		{"tcp4", "127.0.0.1:443", false},
		{"tcp6", "[::1]:443", false},
		{"udp4", "8.8.8.8:53", false},
		{"unix", "/var/run/docker.sock", false},
		{"tcp4", "public.example:443", false},
	}
	for _, c := range cases {
		err := guard.Control(c.network, c.address, nil)
		if c.allowed != (err == nil) {
			t.Errorf("%s %s: %v", c.network, c.address, err)
		}
	}
}

// inner is a server in the private network that nobody outside may reach.
func inner(t *testing.T) (server *httptest.Server, visits *atomic.Int32) {
	t.Helper()
	visits = new(atomic.Int32)
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "secret")
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			visits.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server, visits
}

// get fetches something and gives what was read.
func get(t *testing.T, rt http.RoundTripper, address string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: rt}).Do(r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	return string(body), errors.Join(err, response.Body.Close())
}

func checkRefused(t *testing.T, err error) {
	t.Helper()
	refused := (*guard.Refused)(nil)
	if !errors.As(err, &refused) || !refused.Permanent() || !strings.Contains(err.Error(), "not a public address") {
		t.Errorf("error %v, expected a refusal", err)
	}
}

func newTransport(t *testing.T, exceptions ...string) *http.Transport {
	t.Helper()
	rt, err := guard.Transport(exceptions...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.CloseIdleConnections)
	return rt
}

func TestThePrivateNetworkIsNotReached(t *testing.T) {
	server, visits := inner(t)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	rt := newTransport(t)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"} {
		t.Run(host, func(t *testing.T) {
			body, err := get(t, rt, "http://"+host+":"+port+"/")
			checkRefused(t, err)
			if body != "" {
				t.Errorf("reached: %q", body)
			}
		})
	}
	if n := visits.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestAnExceptionHoldsForOneServerOnly(t *testing.T) {
	server, visits := inner(t)
	front := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer front.Close()
	if body, err := get(t, newTransport(t, server.URL), server.URL); err != nil || body != "secret" {
		t.Errorf("the excepted server: %q, %v", body, err)
	}
	before := visits.Load()
	_, err := get(t, newTransport(t, front.URL+"/v1"), front.URL)
	checkRefused(t, err)
	if visits.Load() != before {
		t.Error("a redirect of the excepted server's led into the private network")
	}
}

func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	server, visits := inner(t)
	t.Setenv("HTTP_PROXY", server.URL)
	t.Setenv("http_proxy", server.URL)
	rt := newTransport(t)
	if rt.Proxy != nil {
		t.Error("there is a proxy")
	}
	_, err := get(t, rt, "http://10.0.0.1/")
	checkRefused(t, err)
	if n := visits.Load(); n > 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestExceptionsAreBaseURLs(t *testing.T) {
	for _, e := range []string{"", "graph.example", "127.0.0.1:80", "ftp://host/", "http://", "%"} {
		if _, err := guard.Transport(e); err == nil {
			t.Errorf("%q was taken", e)
		}
	}
	for _, e := range []string{"https://graph.example", "http://graph.example/v1", "http://[::1]:4000"} {
		if _, err := guard.Transport(e); err != nil {
			t.Errorf("%q: %v", e, err)
		}
	}
}

// names is a DNS server that gives the next of its answers at each question.
func names(t *testing.T, answers ...string) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		packet := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return // closed
			}
			if _, err := conn.WriteTo(reply(packet[:n], answers, asked), from); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	dialer := net.Dialer{}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}, asked
}

// reply answers a question for an IPv4 address; there are no others.
func reply(packet []byte, answers []string, asked *atomic.Int32) []byte {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		n := int(asked.Add(1)) - 1
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr(answers[n%len(answers)]).As4()},
		}}
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func TestANameThatAnswersDifferentlyTheSecondTimeGainsNothing(t *testing.T) {
	server, visits := inner(t)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	address := "http://files.example:" + u.Port() + "/"
	// The first address is a documentation one, so that nothing leaves here.
	resolver, asked := names(t, "203.0.113.1", "127.0.0.1")
	rt := guard.TransportWith(resolver)
	for range 4 {
		_, err := get(t, rt, address)
		checkRefused(t, err)
	}
	if visits.Load() > 0 {
		t.Error("the private network was reached")
	}
	if asked.Load() != 4 {
		t.Errorf("names were looked up %d times for 4 requests", asked.Load())
	}
	resolver, _ = names(t, "127.0.0.1")
	excepted := guard.TransportWith(resolver, "files.example:"+u.Port())
	defer excepted.CloseIdleConnections()
	if body, err := get(t, excepted, address); err != nil || body != "secret" {
		t.Errorf("an excepted name: %q, %v", body, err)
	}
}
