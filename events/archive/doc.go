// Package archive looks at a whole log: it verifies one, copies it into another,
// or writes it into a file and puts such a file into another log, whatever store
// each of them is in.
//
// The file is made of lines, each a JSON object, in the order of the log:
//
//	{"parley":"log","version":1}
//	{"stream":"bot-k3v9","revision":0,"id":"0190…","type":"BotCreated","data":"gqRu…","metadata":"eyJh…","stored":1700000000000000}
//	…
//	{"events":1,"sum":"9f86…"}
//
// Data and metadata are base64, so that every byte survives; "json" says that
// the data are JSON. The last line tells a whole file from a part of one: it
// counts the lines between, and has their SHA-256.
//
// What moves is streams, revisions, IDs, the order, and every byte of every
// event; the time of storing, too, if the new log can keep it. Positions are the
// new log's own. What is erased does not move, nor what an EventStoreDB notes
// for itself.
//
// The rule to keep: nothing here knows what an event means. A log of tomorrow
// must go through the program of today.
package archive
