// Package simulator plays Meta in a process: the Graph API that messages are
// sent to, and the people who write and answer on their phones. Tests use it in
// place of Meta, and a person can chat with a bot through it without any
// account ([Simulator.Chat]).
//
// It is hostile by default ([Hostile]): webhooks come twice, late, in any order
// and several in one, statuses overtake the answer to the send, and sends are
// throttled. All of that is drawn from a seed, for each update by itself, so a
// run with the same conversation meets the same faults whatever the goroutines
// do. Some phone numbers produce one certain failure each; see [Cast].
//
// All waiting is done with timers and channels, and without sockets if
// [Simulator.Transport] and [Through] are used, so a whole life runs in a
// testing/synctest bubble. Every goroutine ends with [Simulator.Close].
//
// It is not a validator of everything that Meta refuses: it knows the messages
// that package whatsapp can make, and their documented limits.
package simulator
