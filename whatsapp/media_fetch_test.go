package whatsapp_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/whatsapp"
)

// the token goes to Meta's hosts only, redirects are judged one
// by one, and a strict list of hosts does not break every download.
func TestWhereTheTokenGoes(t *testing.T) {
	const graph = "https://graph.facebook.com/v25.0/" + mediaID + " with token"
	const path = "/whatsapp_business/attachments/"
	far := func(to string) map[string]http.HandlerFunc {
		return map[string]http.HandlerFunc{"lookaside.fbsbx.com": redirects(302, to)}
	}
	cases := []struct {
		rule, address string
		hosts         map[string]http.HandlerFunc
		want          whatsapp.MediaProblem
		visits        []string
	}{
		{"Meta's host for files gets it", lookaside, nil, "", []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"in any writing", "HTTPS://LookAside.FBSBX.com:443/x", map[string]http.HandlerFunc{"LookAside.FBSBX.com:443": gives(picture)}, "", []string{"https://LookAside.FBSBX.com:443/x with token"}},
		{"other hosts of Meta's get it", "https://scontent.fbcdn.net/x", map[string]http.HandlerFunc{"scontent.fbcdn.net": gives(picture)}, "", []string{"https://scontent.fbcdn.net/x with token"}},
		{"those of WhatsApp too", "https://mmg.whatsapp.net/x", map[string]http.HandlerFunc{"mmg.whatsapp.net": gives(picture)}, "", []string{"https://mmg.whatsapp.net/x with token"}},
		{"another host is asked without it", "https://files.example/x", map[string]http.HandlerFunc{"files.example": gives(picture)}, "", []string{"https://files.example/x"}},
		{"a host that is called like Meta's", "https://lookaside.fbsbx.com.evil.example/x", map[string]http.HandlerFunc{"lookaside.fbsbx.com.evil.example": gives(picture)}, "", []string{"https://lookaside.fbsbx.com.evil.example/x"}},
		{"a host that is called like others of Meta's", "https://scontent.fbcdn.net.evil.example/x", map[string]http.HandlerFunc{"scontent.fbcdn.net.evil.example": gives(picture)}, "", []string{"https://scontent.fbcdn.net.evil.example/x"}},
		{"a host that ends like Meta's", "https://evilfacebook.com/x", map[string]http.HandlerFunc{"evilfacebook.com": gives(picture)}, "", []string{"https://evilfacebook.com/x"}},
		{"a neighbour below Meta's host for files", "https://x.lookaside.fbsbx.com/x", map[string]http.HandlerFunc{"x.lookaside.fbsbx.com": gives(picture)}, "", []string{"https://x.lookaside.fbsbx.com/x"}},
		{"another port of Meta's host", "https://lookaside.fbsbx.com:8443/x", map[string]http.HandlerFunc{"lookaside.fbsbx.com:8443": gives(picture)}, "", []string{"https://lookaside.fbsbx.com:8443/x"}},
		{"a host that is Meta's only after folding", "https://scontent\u3002fbcdn\u3002net.fbcdn.net/x", map[string]http.HandlerFunc{"scontent\u3002fbcdn\u3002net.fbcdn.net": gives(picture)}, "", []string{"https://scontent\u3002fbcdn\u3002net.fbcdn.net/x"}},

		{
			"a redirect among Meta's hosts keeps it", lookaside,
			map[string]http.HandlerFunc{"lookaside.fbsbx.com": redirects(302, "https://scontent.fbcdn.net/x"), "scontent.fbcdn.net": gives(picture)},
			"",
			[]string{"https://lookaside.fbsbx.com" + path + " with token", "https://scontent.fbcdn.net/x with token"},
		},
		{
			"a redirect elsewhere goes without", lookaside,
			map[string]http.HandlerFunc{"lookaside.fbsbx.com": redirects(307, "https://cdn.example/x"), "cdn.example": gives(picture)},
			"",
			[]string{"https://lookaside.fbsbx.com" + path + " with token", "https://cdn.example/x"},
		},
		{
			"and does not get it back", lookaside,
			map[string]http.HandlerFunc{"lookaside.fbsbx.com": inTurn(redirects(302, "https://cdn.example/x"), gives(picture)), "cdn.example": redirects(301, lookaside)},
			"",
			[]string{"https://lookaside.fbsbx.com" + path + " with token", "https://cdn.example/x", "https://lookaside.fbsbx.com" + path},
		},
		{
			"a redirect to another path stays at home", lookaside,
			map[string]http.HandlerFunc{"lookaside.fbsbx.com": inTurn(redirects(308, "../elsewhere"), gives(picture))},
			"",
			[]string{"https://lookaside.fbsbx.com" + path + " with token", "https://lookaside.fbsbx.com/whatsapp_business/elsewhere with token"},
		},
		{
			"redirects in a circle end", lookaside, far(lookaside),
			whatsapp.MediaUnsafe,
			[]string{
				"https://lookaside.fbsbx.com" + path + " with token", "https://lookaside.fbsbx.com" + path + " with token",
				"https://lookaside.fbsbx.com" + path + " with token", "https://lookaside.fbsbx.com" + path + " with token",
			},
		},

		{"plain http is not asked", "http://lookaside.fbsbx.com/x", nil, whatsapp.MediaUnsafe, nil},
		{"the cloud's metadata are not asked", "http://169.254.169.254/latest/meta-data/", nil, whatsapp.MediaUnsafe, nil},
		{"nor a redirect to them followed", lookaside, far("http://169.254.169.254/latest/"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"nor over https", lookaside, far("https://169.254.169.254/latest/"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"nor to other numbers", lookaside, far("https://[::ffff:127.0.0.1]/"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"nor to numbers in another writing", lookaside, far("https://0x7f.1/"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"nor to a neighbour", lookaside, far("https://localhost/"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"nor to a file", lookaside, far("file:///etc/passwd"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"nor down to plain http", lookaside, far("http://lookaside.fbsbx.com/x"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"nor with a password", lookaside, far("https://graph.facebook.com:x@evil.example/"), whatsapp.MediaUnsafe, []string{"https://lookaside.fbsbx.com" + path + " with token"}},
		{"an address that is none", "https://%zz", nil, whatsapp.MediaUnsafe, nil},
		{"an address without a host", "https:///x", nil, whatsapp.MediaUnsafe, nil},
		{"an address that is relative", "/x", nil, whatsapp.MediaUnsafe, nil},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			w := meta(c.address, c.hosts)
			content, err := download(t, w, 0)
			checkProblem(t, err, c.want)
			if c.want == "" && !bytes.Equal(content, picture) {
				t.Errorf("%d bytes", len(content))
			}
			if diff := cmp.Diff(append([]string{graph}, c.visits...), w.visits); diff != "" {
				t.Errorf("visits: -want +got\n%s", diff)
			}
		})
	}
}

func TestABaseURLOfPlainHTTPIsAskedWithTheToken(t *testing.T) {
	w := &web{hosts: map[string]http.HandlerFunc{
		"127.0.0.1:4000": func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v25.0/") {
				answers(found("http://127.0.0.1:4000/file"))(rw, r)
				return
			}
			redirects(302, "http://127.0.0.1:5000/other")(rw, r)
		},
		"127.0.0.1:5000": gives(picture),
	}}
	_, err := whatsapp.NewClient("http://127.0.0.1:4000", "v25.0", w).Download(t.Context(), credentials, mediaID, 0)
	checkProblem(t, err, whatsapp.MediaUnsafe) // the other port is somebody else's
	want := []string{"http://127.0.0.1:4000/v25.0/" + mediaID + " with token", "http://127.0.0.1:4000/file with token"}
	if diff := cmp.Diff(want, w.visits); diff != "" {
		t.Errorf("visits: -want +got\n%s", diff)
	}
}

// an address lives for 5 minutes; a new one is asked for once.
func TestAnAddressThatIsNotGoodAnyMoreIsAskedForOnceAgain(t *testing.T) {
	for _, status := range []int{404, 410, 401, 403} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			w := meta(lookaside, map[string]http.HandlerFunc{
				"graph.facebook.com":  inTurn(answers(found("https://lookaside.fbsbx.com/old")), answers(found("https://lookaside.fbsbx.com/new"))),
				"lookaside.fbsbx.com": inTurn(fails(status), gives(picture)),
			})
			content, err := download(t, w, 0)
			checkProblem(t, err, "")
			if !bytes.Equal(content, picture) || len(w.visits) != 4 || w.visits[3] != "https://lookaside.fbsbx.com/new with token" {
				t.Errorf("%d bytes, visits %v", len(content), w.visits)
			}
			w = meta(lookaside, map[string]http.HandlerFunc{"lookaside.fbsbx.com": fails(status)})
			if _, err := download(t, w, 0); err == nil || len(w.visits) != 4 {
				t.Errorf("visits %v, %v", w.visits, err)
			}
		})
	}
}

// Meta: some programs' usual agents are refused. Compressed bytes have another
// sum.
func TestDownloadsSayWhoAsks(t *testing.T) {
	var head http.Header
	w := meta(lookaside, map[string]http.HandlerFunc{"lookaside.fbsbx.com": func(w http.ResponseWriter, r *http.Request) {
		head = r.Header
		gives(picture)(w, r)
	}})
	if _, err := download(t, w, 0); err != nil {
		t.Fatal(err)
	}
	if agent := head.Get("User-Agent"); !strings.HasPrefix(agent, "Mozilla/5.0 ") || head.Get("Accept-Encoding") != "identity" {
		t.Errorf("head %v", head)
	}
}
