package parley_test

import (
	"net/http"
	"strconv"
	"testing"
)

const positionHeader = "X-Parley-Position"

func TestWhereAWriteStands(t *testing.T) {
	inHouse(t, options{}, func(h *house) {
		list := func(position string) answer {
			return h.call(http.MethodGet, "/bot/list", apiSecret, nil, positionHeader, position)
		}
		made := h.call(http.MethodPost, "/bot/create", apiSecret, object{"name": "Grace"})
		position := made.header.Get(positionHeader)
		at, err := strconv.ParseUint(position, 10, 64)
		h.rule("a write says where it stands", func(t rule) {
			if err != nil || at == 0 {
				t.Errorf("%q", position)
			}
		})
		h.rule("a read says nothing", func(t rule) {
			if p := list(position).header.Get(positionHeader); p != "" {
				t.Errorf("%q", p)
			}
		})
		h.rule("who names a position sees what stands there", func(t rule) {
			if a := list(position); a.status != 200 {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
		for _, wrong := range []string{"soon", "-1", strconv.FormatUint(at+1000, 10), "99999999999999999999"} {
			h.rule("a position that is none is the client's mistake: "+wrong, func(t rule) {
				if a := list(wrong); a.status != 400 {
					t.Errorf("%d %s", a.status, a.text)
				}
			})
		}
	})
}
