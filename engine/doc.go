// Package engine is where a bot's answers come from.
//
// An [Engine] runs one turn and yields [Act] values: what the bot says and
// does, in order. It is not told how acts are delivered, calls nobody back and
// keeps nothing: what it must remember it yields as [Remember], and gets back
// as [Turn].Memory. So a turn that was cut off can be run again anywhere.
//
// engine/openai asks a model behind an OpenAI-compatible server,
// engine/rivescript is built in and needs no model, engine/script does what a
// test tells it. [Catalogue] chooses among them by the model's name.
//
// The rule to keep: a turn goes in, acts come out, and nothing else has an
// effect.
package engine
