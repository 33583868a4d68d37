package cluster

// health is what a node says of itself, beat by beat: how often in a row that it
// can do its work, or, below zero, that it cannot. Only what is said twice
// counts: when the log is away for all nodes, they notice within one beat of
// each other, and it is nobody's business to take over.
type health int

const (
	sure health = 2
	ill  health = -2
)

// next is the health after a node has said once more how it is.
func (h health) next(fit bool) health {
	if fit {
		return min(max(h, 0)+1, sure)
	}
	return max(min(h, 0)-1, ill)
}

// feels takes in how this node is.
func (v *view) feels(fit bool) {
	v.mutex.Lock()
	before := v.health
	v.health = before.next(fit)
	if before != v.health && (before == ill || v.health == ill) {
		v.logger.Warn("whether this node can do its work has changed", "fit", fit)
	}
	v.unlock()
}

// fit reports how this node is now.
func (v *view) fit() bool {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.health > 0
}

// says takes in how a member is.
func (v *view) says(l *link, fit bool) {
	v.mutex.Lock()
	l.health = l.health.next(fit)
	v.unlock()
}

// sidelined takes in that a member leaves its work to others.
func (v *view) sidelined(l *link) {
	v.mutex.Lock()
	l.health = ill
	v.unlock()
}
