package handlers

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// unknownAddress is the caller where a trusted proxy names none that can be read
// (RFC 7239 §6.2 has the same word). All such callers count as one; they are not
// taken for the proxy, and Cognito is told no address.
const unknownAddress = "unknown"

// knownAddress is an address, or empty for one that is not known.
func knownAddress(address string) string {
	if address == unknownAddress {
		return ""
	}
	return address
}

// ClientIPFrom finds the address of the caller: the peer's own, or, where the peer
// is one of the trusted proxies, the rightmost address of X-Forwarded-For that is
// none of them. What stands to the left of that may be forged (MDN, X-Forwarded-For,
// "Selecting an IP address"), so an entry that cannot be read ends the search: the
// caller is then "unknown", which the logger is told once a minute.
func ClientIPFrom(trusted []*net.IPNet, logger *slog.Logger) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	trusts := func(address netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(n *net.IPNet) bool { return n.Contains(address.AsSlice()) })
	}
	warn := everyMinute(func() {
		logger.WarnContext(context.Background(), "a trusted proxy sent an X-Forwarded-For that cannot be read; those callers count as one")
	})
	direct := echo.ExtractIPDirect()
	return func(r *http.Request) string {
		peer, ok := parseHop(r.RemoteAddr)
		if !ok || !trusts(peer) {
			return direct(r)
		}
		caller := peer
		for _, hop := range slices.Backward(strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedFor), ","), ",")) {
			hop = strings.TrimSpace(hop)
			if hop == "" {
				continue // a list may have empty elements (RFC 9110 §5.6.1)
			}
			if caller, ok = parseHop(hop); !ok {
				warn()
				return unknownAddress
			}
			if !trusts(caller) {
				break
			}
		}
		return caller.String()
	}
}

// parseHop reads an address as proxies write them: alone, with a port (Azure
// Application Gateway), in brackets with or without one (RFC 3986 §3.2.2), in quotes
// (RFC 7239 §4), with a zone, or as IPv4 inside IPv6. A port is passed over, whatever
// it is. An IPv6 address with a port and without brackets reads as a longer address:
// nobody can tell them apart.
func parseHop(hop string) (netip.Addr, bool) {
	hop = strings.Trim(hop, `"`)
	if inside, bracketed := strings.CutPrefix(hop, "["); bracketed {
		hop, _, _ = strings.Cut(inside, "]")
	} else if strings.Count(hop, ":") == 1 {
		hop, _, _ = strings.Cut(hop, ":")
	}
	address, err := netip.ParseAddr(hop)
	return address.Unmap().WithZone(""), err == nil
}

// everyMinute lets one call in a minute through.
func everyMinute(do func()) func() {
	var mu sync.Mutex
	var last time.Time
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(last) >= time.Minute {
			last = now
			do()
		}
	}
}
