package enroll

import (
	"context"
	"strings"
	"time"
	"unicode"
)

// Events is told what happened to people's factors, and what may be an attack on
// them. Happened must return at once: people wait for the flows that call it.
type Events interface {
	Happened(e Event)
}

// EventType says what happened.
type EventType string

// What people and their operators are told of (docs/events.md).
const (
	AppEnrolled      EventType = "app.enrolled"
	AppReplaced      EventType = "app.replaced"
	AppNotSwitchedOn EventType = "app.verified_not_enabled"
	AppSwitchedOn    EventType = "app.switched_on"
	AppSwitchedOff   EventType = "app.switched_off"
	StepUpRefused    EventType = "step_up.refused"
	OtherSignIn      EventType = "enrollment.other_sign_in"
	TriesUsedUp      EventType = "code.tries_used_up"
)

// EventTypes are all of them.
func EventTypes() []EventType {
	return []EventType{AppEnrolled, AppReplaced, AppNotSwitchedOn, AppSwitchedOn, AppSwitchedOff, StepUpRefused, OtherSignIn, TriesUsedUp}
}

// Event is something that happened to one person. It has no member for a secret, a
// token, a session or a code, and its only free text is the device's name.
type Event struct {
	Type    EventType
	At      time.Time
	Person  Person
	Flow    Flow
	Address string // the caller's; empty where it is not known
	// DeviceName is what the caller calls the device with the app: at most
	// maxDeviceName characters.
	DeviceName string
}

// Person is whom an event is about: by pool and subject where a token of Cognito's
// says so, else by what the caller of a sign-in claims.
type Person struct {
	PoolID, Subject string
	ClientID        string // the app client
	Username        string // claimed, not verified; empty where Subject is known
}

// Verified reports whether a token of Cognito's names the person.
func (p Person) Verified() bool { return p.Subject != "" }

// Name is the same for all events of one person, and tells nothing of whom.
func (p Person) Name() string {
	if p.Verified() {
		return personName(Identity{PoolID: p.PoolID, Subject: p.Subject})
	}
	return "claimed:" + hashed(p.ClientID, p.Username)
}

// The longest texts of an event, in characters. A token, a session or an otpauth
// link in the place of a device's name would not fit.
const (
	maxDeviceName = 64
	maxUsername   = 128 // Cognito's UsernameType
)

// clipped is a text without control characters, cut at a length.
func clipped(s string, most int) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	return string(runes[:min(len(runes), most)])
}

// tell tells of something that happened to the bearer of a credential or, during a
// sign-in, to whom the caller claims to be. Where nobody is named nobody can be
// told.
func (s *Service) tell(what EventType, c Credential, in *CompleteSignIn, deviceName string) {
	switch {
	case c.Identity != nil:
		s.happened(what, c, personOf(*c.Identity), deviceName)
	case in != nil:
		s.happened(what, c, Person{ClientID: in.ClientID, Username: clipped(in.Username, maxUsername)}, deviceName)
	}
}

// tellSignIn tells of an app that was enrolled during a sign-in. Only the tokens
// say of whom; where there are none yet, all that is known is what the caller
// claims.
func (s *Service) tellSignIn(c Credential, claimed *CompleteSignIn, in *SignIn, deviceName string) {
	if in == nil || in.Person == nil {
		s.tell(AppEnrolled, c, claimed, deviceName)
		return
	}
	s.happened(AppEnrolled, c, personOf(*in.Person), deviceName)
}

// personOf is whom a token names.
func personOf(id Identity) Person {
	return Person{PoolID: id.PoolID, Subject: id.Subject, ClientID: id.ClientID}
}

func (s *Service) happened(what EventType, c Credential, p Person, deviceName string) {
	if s.Events == nil {
		return
	}
	s.Events.Happened(Event{
		Type: what, At: s.Now(), Person: p, Flow: c.Flow(), Address: c.ClientIP, DeviceName: clipped(deviceName, maxDeviceName),
	})
}

// tellVerified tells what came of a right code. During a sign-in that the caller
// does not name, the answer to MFA_SETUP tells it.
func (s *Service) tellVerified(r VerifyRequest, p Pending, v Verification, err error) {
	switch {
	case r.Credential.Identity == nil:
		s.tellSignIn(r.Credential, r.SignIn, v.SignIn, r.DeviceName)
	case KindOf(err) == VerifiedNotEnabled:
		s.tell(AppNotSwitchedOn, r.Credential, nil, r.DeviceName)
	case err == nil && p.Replaces:
		s.tell(AppReplaced, r.Credential, nil, r.DeviceName)
	case err == nil:
		s.tell(AppEnrolled, r.Credential, nil, r.DeviceName)
	}
}

// identify names the person of a sign-in that was just completed, whom the session
// did not tell.
func (s *Service) identify(ctx context.Context, in *SignIn) {
	if in.Tokens == nil || s.Identify == nil {
		return
	}
	if id, err := s.Identify(ctx, in.Tokens.Access.Reveal()); err == nil {
		in.Person = &id
	}
}
