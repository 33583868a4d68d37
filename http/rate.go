package http

import (
	"crypto/sha256"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// rates bounds how often each secret may ask. A secret may save up what it does
// not use for a second, and one request at least. nil bounds nobody.
type rates struct {
	perSecond rate.Limit
	burst     int

	mutex sync.Mutex
	// of has the secrets that asked lately. Only those that are known come
	// here, so strangers cannot make it grow.
	of map[[sha256.Size]byte]*rate.Limiter
	// full is the number at which idle ones are forgotten.
	full int
}

// fewSecrets are not worth forgetting.
const fewSecrets = 1024

// newRates makes rates of so many requests per second; 0 is any number.
func newRates(perSecond float64) *rates {
	if perSecond <= 0 {
		return nil
	}
	return &rates{
		perSecond: rate.Limit(perSecond), burst: max(1, int(min(math.Ceil(perSecond), math.MaxInt32))),
		of: map[[sha256.Size]byte]*rate.Limiter{}, full: fewSecrets,
	}
}

// take counts a request of the secret with a hash. One too many is refused, and
// told when to come back. Spec: "Errors".
func (r *rates) take(hash []byte) error {
	if r == nil {
		return nil
	}
	now := time.Now()
	limiter := r.limiter([sha256.Size]byte(hash), now)
	if limiter.AllowN(now, 1) {
		return nil
	}
	wait := (1 - limiter.TokensAt(now)) / float64(r.perSecond)
	return &problem{
		status: 429, code: "TOO_MANY_REQUESTS", message: "Too many requests",
		retryAfter: max(1, int(min(math.Ceil(wait), math.MaxInt32))),
	}
}

func (r *rates) limiter(hash [sha256.Size]byte, now time.Time) *rate.Limiter {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	limiter, ok := r.of[hash]
	if !ok {
		r.forget(now)
		limiter = rate.NewLimiter(r.perSecond, r.burst)
		r.of[hash] = limiter
	}
	return limiter
}

// forget drops the secrets whose limiter is as good as a new one.
func (r *rates) forget(now time.Time) {
	if len(r.of) < r.full {
		return
	}
	for hash, limiter := range r.of {
		if limiter.TokensAt(now) >= float64(r.burst) {
			delete(r.of, hash)
		}
	}
	r.full = max(fewSecrets, 2*len(r.of))
}
