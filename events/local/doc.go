// Package local is the embedded event log: one SQLite file in a directory of
// its own, no service to run. It passes events/storetest.
//
// One goroutine, the sequencer, owns the only connection that writes. It takes
// the appends that wait, checks each against the end of its stream, gives out
// revisions and positions, and commits all of them in one transaction: one sync
// of the disk, however many callers wait. While the disk syncs, the next batch
// gathers. Nothing is answered or shown to readers before it is durable.
// Readers use connections of their own and see the log up to the last commit;
// the newest events are kept in memory, so that subscribers which keep up do
// not touch the disk.
//
// The directory holds
//
//	log.db       streams and events; any SQLite tool can read it
//	log.db-wal   what was committed since the last checkpoint: part of the log
//	log.db-shm   an index of it, worthless without the process
//	log.witness  how far the log had come at the last acknowledgement
//	log.lock     the process that has the log open
//
// What can go wrong is told, not papered over. Every event carries a checksum
// that is verified when it is read from disk. SQLite drops a damaged end of the
// -wal file without a word, so the witness says at the next start which
// acknowledged events are missing. A disk without room refuses appends until
// there is some; after any other failed write the store appends no more, since
// nobody knows what is on the disk, and the process should end: [Store.Failed].
//
// The rule to keep: nothing but the sequencer writes, and it acknowledges
// nothing before COMMIT has returned.
package local
