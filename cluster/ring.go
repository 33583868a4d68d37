package cluster

import (
	"hash/fnv"
	"slices"

	"parley/domain"
)

// owner picks the member that owns an actor: the one with the highest score
// for it (rendezvous hashing). When a member comes or goes, only the actors
// that it gains or had move. ok is false when there are no members.
func owner(members []Member, to domain.Address) (m Member, ok bool) {
	key := hash(to.Kind, "/", to.ID)
	var best uint64
	for _, candidate := range members {
		if score := mix(key ^ mix(hash(candidate.ID))); !ok || score > best {
			m, best, ok = candidate, score, true
		}
	}
	return m, ok
}

// without gives those of some members that are not among others.
func without(members, others []Member) []Member {
	if len(others) == 0 {
		return members
	}
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return slices.Contains(others, m) })
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // a hash never fails
	}
	return h.Sum64()
}

// mix spreads every bit over all others. FNV alone does not: with addresses
// that differ in their last digit it gives one node half of all actors.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
