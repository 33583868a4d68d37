package perform

import (
	"math/rand/v2"
	"time"

	"parley/whatsapp"
)

// The first and the longest wait while nothing can be sent at all: the token
// is invalid, the account blocked. It is the operator's turn, and the queue
// is kept.
const (
	stoppedWait        = time.Minute
	longestStoppedWait = 3 * time.Hour
)

// wait says whether a part that was refused is tried again, and after which
// time. attempt is the number of the attempt that was refused, from 1.
func wait(advice whatsapp.Advice, attempt int) (retry bool, after time.Duration) {
	switch advice.Action {
	case whatsapp.Retry, whatsapp.BackOff, whatsapp.Pace:
		if advice.Tries > 0 && attempt > advice.Tries {
			return false, 0
		}
		d := advice.Wait(attempt - 1)
		return true, d + rand.N(d/4+1)
	case whatsapp.Stop:
		return true, backoff(stoppedWait, attempt-1, longestStoppedWait)
	}
	return false, 0
}
