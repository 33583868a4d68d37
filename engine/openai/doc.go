// Package openai is the engine that asks a model behind a server with an
// OpenAI-compatible chat completions API: OpenAI itself, a gateway, or a local
// server such as Ollama, vLLM or llama.cpp.
//
// # What is sent
//
// One POST to <base>/chat/completions for each round, streamed, with
//
//   - a system message: the bot's backstory, then the history's context notes,
//     then, when the turn names a time zone, one line with the time there. It
//     is left out when all of that is empty. There is no other hidden text;
//   - the history, oldest first, as it stands: user and assistant messages,
//     and each function call as an assistant message with its tool message.
//     What exceeds the budget of tokens is left out from the old end (see
//     engine.Trim). Images are sent as data URLs beside their caption. A user
//     message with neither text nor image reads "(attachment)";
//   - the tools that the turn's abilities make possible (see
//     engine.Functions), which carry their own instructions;
//   - the options of the model string. Those that we do not know become JSON
//     fields of the request, so that servers with options of their own can be
//     used.
//
// The sender is not sent in any form.
//
// # Rounds
//
// When the model calls functions, their acts are yielded, the results go back
// and the model continues, up to 8 rounds. Arguments that are wrong are
// answered with what is wrong about them.
//
// # Failures
//
// Nothing is retried here, with two exceptions that change the request: when
// the server says that the conversation is too long, it is cut to half, once;
// when it refuses a request with images, they are left out, once. Give the
// model string "image=false" to spare blind models that detour.
//
// The context of a turn bounds its time; a response is bounded in size.
package openai
