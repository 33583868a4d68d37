package http

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdleSecretsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(2)
		began, served := time.Now(), 0
		busy := sha256.Sum256([]byte("busy"))
		for i := range 20 * fewSecrets {
			hash := sha256.Sum256([]byte(strconv.Itoa(i)))
			if err := r.take(hash[:]); err != nil {
				t.Fatal(err)
			}
			if r.take(busy[:]) == nil { // it asks far too often
				served++
			}
			if len(r.of) > fewSecrets {
				t.Fatalf("%d secrets are remembered, of which 201 are in use", len(r.of))
			}
			time.Sleep(5 * time.Millisecond)
		}
		if most := 2 + int(2*time.Since(began).Seconds()); served > most {
			t.Errorf("who asks far too often was served %d times and not %d: it was forgotten, and began anew", served, most)
		}
	})
}
