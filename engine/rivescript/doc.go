// Package rivescript is the built-in engine: a bot of the model "rivescript"
// answers from a script, its backstory. It is made for menus and frequent
// questions, and needs no language model.
//
// # Scripts
//
// A script is written in RiveScript (https://www.rivescript.com/tutorial):
//
//	// Say hello, and what there is.
//	+ (hi|hello) [*]
//	- Hello! What can I do for you?
//	^ <call>buttons "Opening hours" "Find us"</call>
//
//	+ opening hours
//	* <get weekday> == sunday => We are closed today.
//	- We are open from 9 to 5.
//
//	+ *
//	- I did not understand that.
//
// A message is compared in small letters, without punctuation at the edges of
// words and with one blank between words. A trigger holds letters, digits,
// blanks, the signs ' - / % & = and the wildcards * # _ ( | ) [ ] @array and
// <bot name>. A script should end with the trigger "*", which matches
// everything: a message that nothing matches is an error. "? word" matches the
// word anywhere in a message; prefer it to "[*] word [*]", which works beside
// the letters a-z only.
//
// # Calls
//
// A call shows more than text. Arguments with blanks stand in double quotes.
//
//	<call>buttons "Yes" "No|no-thanks" footer:"Take your time"</call>
//	<call>list button:"Our menu" header:"Today" footer:"Until sold out"
//	      section:"Hot" "Tea|A big pot" "Coffee|Freshly ground|c1"
//	      section:"Cold" "Water"</call>          (on one line)
//	<call>ask-location "Share"</call>
//	<call>location 52.5200 13.4050 "The shop" "Main Street 1"</call>
//	<call>progress "Looking it up …"</call>
//	<call>new-conversation</call>
//
// buttons, list and ask-location take the text in front of them in the answer
// as their question. A button is "Title" or "Title|id"; a row is "Title",
// "Title|Description" or "Title|Description|id"; the ID is the title when none
// is given. Where the channel cannot show choices, or where they exceed what
// WhatsApp takes (3 buttons, 10 rows, see engine.Buttons.Check), they become
// numbered text, and the user answers with the number or the title. progress
// and new-conversation do nothing in a channel that knows neither.
//
// # What users send
//
// A tap on a button or row is compared as its title; <get selection> is its
// ID. A shared location is the message "location shared"; <get lat>, <get lon>,
// <get place> and <get address> tell about it. An attachment without a caption
// is the message "file shared". When several messages wait, each is answered.
//
// # Variables
//
// What <set> stores, the topic and the last messages are kept until the
// conversation ends; setting a variable to undefined removes it. <get date>
// (2026-11-23), <get time> (09:05), <get hour>, and <get weekday> (monday) are
// given, in the time zone of "! var timezone = Europe/London", or else the
// user's, or else UTC. <id> is an opaque name of the sender. <input> and
// <reply> give the last messages as they are compared.
//
// # What differs from other interpreters
//
// Programs (> object) are not run and bot variables cannot be changed: a
// script has no state but the user's. Tags other than RiveScript's are errors,
// as are < { } without a tag, and <get> inside a trigger. Nothing a user sends
// can act as a tag, a redirect or a pattern. The size of a script, the
// redirects, the time and the output of one message are bounded.
//
// The library's interpreter may not be used concurrently; so each turn has one
// to itself. Compiled scripts are cached, and nothing else is kept.
package rivescript
