package format_test

import (
	"strings"
	"testing"

	"parley/whatsapp/format"
)

// answer is what a model says in a chat: 600 characters.
const answer = `## Opening hours

Hi **Ana**, thanks for writing! Here is what I found for *this week*:

- **Monday to Friday:** 9:00 to 18:00
- **Saturday:** 10:00 to 14:00
- Sunday: closed

You can also order online, any time:

1. Open [our shop](https://example.org/shop?ref=chat).
2. Choose a size; most shoes fall small, so take one larger.
3. Pay by card, or use the code ` + "`SPRING-10`" + ` to get 10 % off.

> Orders before noon leave the same day.

Is there anything else I can do for you? If you tell me the number of your order, I can look up where it is. Have a *very* nice day, and come again soon!`

func BenchmarkBlocksOfAnAnswer(b *testing.B) {
	b.SetBytes(int64(len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		format.Blocks(answer)
	}
}

func BenchmarkBlocksOf100KB(b *testing.B) {
	long := strings.Repeat(answer+"\n\n", 100<<10/len(answer))
	b.SetBytes(int64(len(long)))
	b.ReportAllocs()
	for b.Loop() {
		format.Blocks(long)
	}
}

// One line without a border better than between words.
func BenchmarkSplitOf100KBOnALine(b *testing.B) {
	long := strings.Repeat("_word_ ", 100<<10/7)
	b.SetBytes(int64(len(long)))
	b.ReportAllocs()
	for b.Loop() {
		format.Split(long, format.MaxText)
	}
}
