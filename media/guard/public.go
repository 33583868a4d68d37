package guard

import "net/netip"

// special are the networks that look like public ones and are not, or should
// not be reached.
// Spec: IANA, IPv4 and IPv6 Special-Purpose Address Registries.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // behind carriers; also some clouds' metadata
	"168.63.129.16/32", // Azure's host of every machine
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"240.0.0.0/4",      // reserved

	"2001::/23",     // protocol assignments, Teredo among them
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4, which may hide any IPv4 address
	"3fff::/20",     // documentation
)

var (
	// global is where all public IPv6 addresses lie.
	global = netip.MustParsePrefix("2000::/3")
	// nat64 holds the IPv4 internet for those who only have IPv6.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, t := range texts {
		list = append(list, netip.MustParsePrefix(t))
	}
	return list
}

// IsPublic reports that an address belongs to the public internet: not this
// machine's, not a private network's, not multicast, not reserved.
func IsPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		bytes := a.As16()
		a = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !a.IsGlobalUnicast() || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
