package rivescript

import (
	"fmt"
	"testing"
)

// The bound of the cache shows nowhere outside, hence this test inside.
func TestCacheIsBounded(t *testing.T) {
	c := newCache()
	script := func(i int) string { return fmt.Sprintf("+ *\n- %d", i) }
	first, err := c.get(script(0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxPrograms {
		for _, n := range []int{i, 0} { // script 0 stays in use
			if _, err := c.get(script(n)); err != nil {
				t.Fatal(err)
			}
		}
	}

	t.Run("it keeps no more than it should", func(t *testing.T) {
		if len(c.entries) != maxPrograms || c.order.Len() != maxPrograms {
			t.Errorf("%d entries, %d in order, want %d", len(c.entries), c.order.Len(), maxPrograms)
		}
	})
	t.Run("it keeps what was used last", func(t *testing.T) {
		if again, err := c.get(script(0)); again != first || err != nil {
			t.Errorf("compiled anew, error %v", err)
		}
	})
}
