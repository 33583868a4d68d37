package events

import "time"

// Instant is a point in time as facts hold it: microseconds since 1970, UTC.
// The zero Instant means "never" or "not given". Unlike time.Time it has one
// encoding, no location and compares with ==.
type Instant int64

// At gives the instant of a time; the zero time gives 0.
func At(t time.Time) Instant {
	if t.IsZero() {
		return 0
	}
	return Instant(t.UnixMicro())
}

// Time gives the time in UTC; 0 gives the zero time.
func (i Instant) Time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(i)).UTC()
}

// Add moves the instant by a duration, to the microsecond.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Microseconds()) }

// Sub is the time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i-j) * time.Microsecond }

// Milliseconds is the API's form: milliseconds since 1970.
func (i Instant) Milliseconds() int64 { return int64(i) / 1000 }
