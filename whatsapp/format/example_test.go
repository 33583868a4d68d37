package format_test

import (
	"fmt"

	"parley/whatsapp/format"
)

func ExampleText() {
	fmt.Println(format.Text(`## Your order

Hi **Ana**, it is *on its way*:

* Shoes, size 38
* Socks

[Track it](https://example.org/t?id=1_2)`))
	// Output:
	// *Your order*
	//
	// Hi *Ana*, it is _on its way_:
	//
	// - Shoes, size 38
	// - Socks
	//
	// Track it (https://example.org/t?id=1_2)
}

func ExampleBlocks() {
	for _, b := range format.Blocks("These are left:\n\n![Red](https://example.org/red.jpg)\n\nTake **them**?") {
		if b.Text != "" {
			fmt.Println("text:", b.Text)
		} else {
			fmt.Printf("%s: %s %q\n", b.Media.Kind, b.Media.URL, b.Media.Caption)
		}
	}
	// Output:
	// text: These are left:
	// image: https://example.org/red.jpg "Red"
	// text: Take *them*?
}

func ExampleSplit() {
	for _, part := range format.Split("*All of this is bold, and too long for one part.*", 32) {
		fmt.Println(part)
	}
	// Output:
	// *All of this is bold, and*
	// *too long for one part.*
}
