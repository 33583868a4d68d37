package engine

import "slices"

// Trim shortens a history to about a budget of tokens by dropping its oldest
// exchanges. An exchange begins with the user messages that the bot answered
// and ends before the next ones, so an answer never loses its question and no
// call its result. The messages to answer are always kept, whatever they cost.
//
// The result is a part of history; a budget of 0 or less keeps only what must
// be kept.
func Trim(history []Message, budget int) []Message {
	return trim(history, budget, Estimate)
}

// TrimMessages is Trim with a budget of messages instead of tokens.
func TrimMessages(history []Message, budget int) []Message {
	return trim(history, budget, func(part []Message) int { return len(part) })
}

func trim(history []Message, budget int, cost func([]Message) int) []Message {
	kept := exchangeBefore(history, len(history))
	spent := cost(history[kept:])
	for kept > 0 {
		start := exchangeBefore(history, kept)
		spent += cost(history[start:kept])
		if spent > budget {
			break
		}
		kept = start
	}
	return history[kept:]
}

// exchangeBefore finds where the exchange that ends before position end
// begins. Messages before the first user message belong to the first exchange.
func exchangeBefore(history []Message, end int) int {
	i := end
	for i > 0 && history[i-1].Role != User {
		i--
	}
	for i > 0 && history[i-1].Role != Bot {
		i--
	}
	if !slices.ContainsFunc(history[:i], func(m Message) bool { return m.Role == User }) {
		return 0
	}
	return i
}

// Estimate guesses how many tokens a history costs. It errs on the high side:
// a token is taken as three bytes of UTF-8, which holds for most scripts.
func Estimate(history []Message) int {
	total := 0
	for _, m := range history {
		bytes := len(m.Text)
		if m.Call != nil {
			bytes += len(m.Call.Function) + len(m.Call.Arguments) + len(m.Call.Result)
		}
		total += tokensPerMessage + (bytes+bytesPerToken-1)/bytesPerToken + tokensPerImage*len(m.Images)
	}
	return total
}

const (
	bytesPerToken    = 3
	tokensPerMessage = 4
	tokensPerImage   = 1000
)
