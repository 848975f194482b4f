package attachment

import (
	"fmt"
	"net/netip"
	"syscall"
)

// reserved are the networks that are not for the public, beside those that package netip knows (IANA special-purpose
// address registries).
var reserved = prefixes(
	"0.0.0.0/8",       // This network
	"100.64.0.0/10",   // Behind a provider's NAT
	"192.0.0.0/24",    // Protocol assignments
	"192.0.2.0/24",    // Documentation
	"192.88.99.0/24",  // 6to4 relays
	"198.18.0.0/15",   // Benchmarks
	"198.51.100.0/24", // Documentation
	"203.0.113.0/24",  // Documentation
	"240.0.0.0/4",     // Reserved, and broadcast
	"::/96",           // IPv4-compatible
	"64:ff9b:1::/48",  // NAT64 within a network
	"100::/64",        // Discard
	"2001::/23",       // Protocol assignments, among them Teredo
	"2001:db8::/32",   // Documentation
	"2002::/16",       // 6to4, with an IPv4 address inside
	"3fff::/20",       // Documentation
	"5f00::/16",       // Segment routing
	"fec0::/10",       // Site-local
)

// nat64 are addresses with one of IPv4 in their last four bytes, which is where they lead.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func prefixes(all ...string) []netip.Prefix {
	made := make([]netip.Prefix, len(all))
	for i, s := range all {
		made[i] = netip.MustParsePrefix(s)
	}
	return made
}

// isPublic tells whether an address is of the public Internet.
func isPublic(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	if nat64.Contains(address) {
		bytes := address.As16()
		return isPublic(netip.AddrFrom4([4]byte(bytes[12:])))
	}
	if !address.IsValid() || !address.IsGlobalUnicast() || address.IsPrivate() {
		return false
	}
	for _, network := range reserved {
		if network.Contains(address) {
			return false
		}
	}
	return true
}

// refusePrivate is a net.Dialer's Control. It sees the address that is connected to, after names are resolved and at
// each redirect, so that no name can lead it astray.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(to.Addr()) {
		return fmt.Errorf("%w: %s", ErrForbiddenAddress, address)
	}
	return nil
}
