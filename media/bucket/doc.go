// Package bucket keeps contents in a bucket of an S3-compatible service, which
// many nodes may share. A [Store] keeps the contract of [media.Store].
//
//	<prefix>sha256/<hash>/<edition>    a content
//	<prefix>check/<random>             what a start writes and removes
//
// A content lies in the bucket under its hash and, below it, a random name: an
// edition. Whoever puts a content that is there already has the bucket copy it
// to an edition of its own, and removes the older ones. Whoever discards a
// content removes the editions that were old when it looked. So nobody can
// remove what somebody else put meanwhile, though a bucket has no locks and
// cannot remove something on a condition.
//
// It is no cache and no catalogue: every question is the bucket's to answer.
//
// The rule to keep: an object is written once, whole and under a new name, and
// only removed after that.
package bucket
