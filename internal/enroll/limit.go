package enroll

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// This file says how much each kind of caller may ask of Cognito, admission.go
// how that is held, and docs/threat-model.md why (Limits).

// How long the limiter keeps its marks.
const (
	addressKnownFor = time.Hour        // from the latest good session
	refusedFor      = 5 * time.Minute  // a token that Cognito refused
	provenFor       = 15 * time.Minute // a token that Cognito took
	askedFor        = 5 * time.Minute  // the one session of a new address
)

// guards are the token buckets.
type guards struct {
	// A person who is signed in, over all of their sign-ins.
	subject Guard // calls that write
	reads   Guard
	// A token that Cognito has not taken yet, and all such tokens of a person.
	token, newTokens Guard
	// A sign-in whose start was good here.
	session Guard
	// An address, or in IPv6 a /64, and the networks around it.
	address, site, network Guard
	// The first session of an address of which nothing is known.
	newcomer, newSite, newNetwork Guard
	// All addresses together of which nothing is known: a fifth of each quota.
	strangers, signIns Guard
}

const (
	// strangersShare is the share of Cognito's quota that all unknown addresses
	// have together.
	strangersShare = 1.0 / 5
	// strangersBurst is how many calls of unknown addresses may be under way, or
	// have been refused lately, in seconds of the quota. Starts wait up to six
	// seconds for their turn; people who all come from home hold no more.
	strangersBurst = 4
	// signInsBurst is the same for sign-ins, which wait for no turn.
	signInsBurst = 1
	// signInQuota is Cognito's UserAuthentication quota, in calls a second, as an
	// AWS account comes (Cognito developer guide, "Quotas").
	signInQuota = 120
)

func guardsFor(quota float64) guards {
	share := func(name string, quota, burst float64) Guard {
		return Guard{Name: name, Burst: int(burst * quota), Interval: time.Duration(float64(time.Second) / (quota * strangersShare))}
	}
	return guards{
		subject:   Guard{"subject", 20, 6 * time.Second},
		reads:     Guard{"subject_reads", 60, time.Second},
		token:     Guard{"token", 5, 6 * time.Second},
		newTokens: Guard{"subject_new_tokens", 10, 6 * time.Second},
		session:   Guard{"session", 20, 6 * time.Second},
		// A wider network may hold more people, and an attacker gets the wider
		// ones less easily: each step doubles what is allowed.
		address:    Guard{"address", 20, 6 * time.Second},
		site:       Guard{"site", 40, 3 * time.Second},
		network:    Guard{"network", 80, 1500 * time.Millisecond},
		newcomer:   Guard{"newcomer", 1, askedFor},
		newSite:    Guard{"new_site", 2, askedFor / 2},
		newNetwork: Guard{"new_network", 4, askedFor / 4},
		strangers:  share("strangers", quota, strangersBurst),
		signIns:    share("strangers_sign_in", signInQuota, signInsBurst),
	}
}

// The names of marks.
func refusedMark(kind Kind, token string) string { return "refused:" + string(kind) + ":" + token }
func provenMark(token string) string             { return "proven:" + token }
func seenMark(session string) string             { return "seen:" + session }
func askedMark(session string) string            { return "asked:" + session }
func knownMark(address string) string            { return "known:" + hashed(address) }

// rememberedRefusals are the refusals that a token meets again whenever it is sent
// again.
var rememberedRefusals = []Kind{InvalidToken, InsufficientScope, UserNotFound}

// tokenCases admit somebody who is signed in. What Cognito refused lately costs
// nothing and reaches nobody (the first cases). A token that Cognito has not
// taken yet must not spend what belongs to its person, so it has little.
func (g guards) tokenCases(id Identity, b budget) []Case {
	person, token := hashed(id.PoolID, id.Subject), hashed(id.Token.Reveal())
	var wants []Want
	if n := b.calls[callWrite]; n > 0 {
		wants = append(wants, Want{Guard: g.subject, Of: person, N: n})
	}
	if n := b.calls[callRead]; n > 0 {
		wants = append(wants, Want{Guard: g.reads, Of: person, N: n})
	}
	var cases []Case
	for _, kind := range rememberedRefusals {
		cases = append(cases, Case{When: refusedMark(kind, token)})
	}
	unproven := []Want{{Guard: g.token, Of: token, N: 1}, {Guard: g.newTokens, Of: person, N: 1}}
	return append(cases, Case{When: provenMark(token), Wants: wants}, Case{Wants: append(unproven, wants...)})
}

// The cases of sessionCases.
const (
	caseSeen     = iota // a session that this service handed out
	caseKnown           // another one, from a known address
	caseAsked           // the one of a new address, which was told to come back
	caseNewcomer        // the one of a new address
	caseStranger
)

// sessionCases admit somebody whom only a session names.
func (g guards) sessionCases(session, address string, all Guard) []Case {
	own := Want{Guard: g.address, Of: hashed(address), N: 1}
	stranger := []Want{own}
	newcomer := []Want{{Guard: g.newcomer, Of: hashed(address), N: 1}}
	for _, n := range networksOf(address) {
		guard, fresh := g.network, g.newNetwork
		if n.site {
			guard, fresh = g.site, g.newSite
		}
		stranger = append(stranger, Want{Guard: guard, Of: hashed(n.name), N: 1})
		newcomer = append(newcomer, Want{Guard: fresh, Of: hashed(n.name), N: 1})
	}
	first := slices.Concat(stranger, []Want{{Guard: all, N: 1}})
	// Whoever brings more than one session leaves half of the share to those who
	// bring one.
	more := slices.Concat(stranger, []Want{{Guard: all, N: 1, Keep: all.Burst / 2}})
	return []Case{
		caseSeen:     {When: seenMark(session), Wants: []Want{{Guard: g.session, OfMark: true, N: 1}}},
		caseKnown:    {When: knownMark(address), Wants: []Want{own}},
		caseAsked:    {When: askedMark(session), Wants: first},
		caseNewcomer: {Try: true, Wants: append(newcomer[:len(newcomer):len(newcomer)], first...), Sets: []Mark{{Name: askedMark(session), TTL: askedFor}}},
		caseStranger: {Wants: more},
	}
}

// network is a network around an address, by its prefix.
type network struct {
	name string
	site bool // as large as what one customer may get
}

// networksOf lists the networks around an address that are counted too: in IPv6
// the /56 and the /48, since providers give these to one customer (RFC 6177); in
// IPv4 the /24, since none smaller is routed on its own, and so none smaller is
// rented out with all of its addresses.
func networksOf(address string) []network {
	if p, err := netip.ParsePrefix(address); err == nil {
		return []network{{netip.PrefixFrom(p.Addr(), 56).Masked().String(), true}, {netip.PrefixFrom(p.Addr(), 48).Masked().String(), false}}
	}
	if ip, err := netip.ParseAddr(address); err == nil && ip.Unmap().Is4() {
		return []network{{netip.PrefixFrom(ip.Unmap(), 24).Masked().String(), false}}
	}
	return nil
}

// afterToken says what a token's operation gives back, and what is remembered. A
// token that Cognito refused pays with its own tokens and not with its person's.
func (g guards) afterToken(a *admission) (back []Want, marks []Mark) {
	token := hashed(a.caller.Identity.Token.Reveal())
	for _, w := range a.reserved {
		spent := 0
		switch {
		case w.Guard == g.token || w.Guard == g.newTokens:
			if a.refused != "" {
				spent = w.N
			}
		case a.refused != "":
		case w.Guard == g.subject:
			spent = a.answered(callWrite)
		case w.Guard == g.reads:
			spent = a.answered(callRead)
		}
		back = giveBack(back, w, spent)
	}
	switch {
	case a.refused != "":
		marks = append(marks, Mark{Name: refusedMark(a.refused, token), TTL: refusedFor})
	case a.worst != verdictNone:
		marks = append(marks, Mark{Name: provenMark(token), TTL: provenFor})
	}
	return back, marks
}

// afterSession says what a session's operation gives back, and what is
// remembered. An address pays for what Cognito refused; all unknown addresses
// together pay for what a made-up session gets.
func (g guards) afterSession(a *admission, validity time.Duration) (back []Want, marks []Mark) {
	for _, w := range a.reserved {
		spent := 0
		switch w.Guard {
		case g.newcomer, g.newSite, g.newNetwork:
			spent = 1
		case g.session:
			spent = min(1, a.answered(callWrite)+a.answered(callAnswer))
		case g.address:
			if a.worst >= verdictWrong {
				spent = 1
			}
		default:
			if a.worst == verdictRefused && !a.good {
				spent = 1
			}
		}
		back = giveBack(back, w, spent)
	}
	if !a.good {
		return back, marks
	}
	own := hashed(a.caller.Session.Reveal())
	root := cmp.Or(a.taken.Value, own)
	marks = append(marks, Mark{Name: knownMark(a.caller.Address), TTL: addressKnownFor}, Mark{Name: seenMark(own), Value: root, TTL: validity})
	for _, s := range a.sessions {
		marks = append(marks, Mark{Name: seenMark(hashed(s.Reveal())), Value: root, TTL: validity})
	}
	return back, marks
}

func giveBack(back []Want, w Want, spent int) []Want {
	if w.N -= spent; w.N > 0 {
		back = append(back, w)
	}
	return back
}
