package attachment

import (
	"net/netip"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	for _, s := range []string{
		"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.0", "192.0.1.1", "223.255.255.255",
		"2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
	} {
		if !isPublic(netip.MustParseAddr(s)) {
			t.Errorf("%s is refused", s)
		}
	}
	for _, s := range []string{
		"127.0.0.1", "127.255.255.255", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
		"203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fc00::1", "fd12::1",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2001::1", "64:ff9b::7f00:1",
		"64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "3fff::1", "5f00::1",
	} {
		if isPublic(netip.MustParseAddr(s)) {
			t.Errorf("%s is allowed", s)
		}
	}
	if isPublic(netip.Addr{}) {
		t.Error("no address is allowed")
	}
	for _, s := range []string{"", "localhost:80", "1.1.1.1", "[::1]:80", "127.0.0.1:80"} {
		if refusePrivate("tcp", s, nil) == nil {
			t.Errorf("%q is connected to", s)
		}
	}
}
