package placet

import (
	"context"
	"math/rand/v2"
	"time"
)

// firstPause is after the first failure, and longestPause the longest: a restarted server is noticed within two seconds.
const firstPause, longestPause = 100 * time.Millisecond, 2 * time.Second

// backoffs are pauses that double, each shortened by chance to no less than its half, so that clients spread out.
type backoffs struct{ next time.Duration }

// wait lasts one pause. It is false, at once, where the context ends before the pause does.
func (b *backoffs) wait(ctx context.Context) bool {
	pause := max(b.next, firstPause)
	b.next = min(2*pause, longestPause)
	pause -= rand.N(pause / 2)
	if end, bounded := ctx.Deadline(); bounded && time.Until(end) <= pause {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
