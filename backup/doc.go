// Package backup makes backups of a data directory, beside a server that runs on
// it or without one, and restores them. A directory of backups holds
//
//	20261123T081500.000Z/   a backup, named by the time at which it was begun
//	  manifest.json         what it is: see Manifest
//	  SHA256SUMS            all files below, as sha256sum -c reads them
//	  log/                  the log, up to a position
//	  media/                every content that was there
//	  keys/                 the master key and the certificates, if they were asked for
//	unfinished/             one that is being made, or that was interrupted
//
// The log comes first and the contents after it. A content is there before a
// fact refers to it, so the contents have everything that the log refers to, but
// for what was erased meanwhile. A content that an earlier backup has is a hard
// link to it: contents never change.
//
// Read models are not in a backup. They are folded anew.
//
// The rule to keep: what has its name is whole. A backup gets its name, and a
// data directory its log, when everything is on the disk, and not before.
package backup
