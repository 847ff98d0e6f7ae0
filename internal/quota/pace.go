package quota

import "time"

// How the pace answers a refusal. The shape is that of CUBIC (RFC 9438): down
// at once, back to where it was within regain, a while of staying there, and
// then ever faster upwards, since what was full a while ago may be free again.
const (
	retreat     = 0.7             // what a refusal leaves of the rate (RFC 9438 §4.6)
	regain      = 4 * time.Second // back at the rate that was sustained; twice that rate after ten seconds
	slowest     = 1.0             // calls a second, however often Cognito refuses
	measureOver = time.Second     // less than this says nothing about what was sustained
)

// pace is the rate at which calls may be made. COGNITO_WRITE_RPS is as much as
// it will be; a refusal means that somebody else in the AWS account takes a
// part, of which Cognito says neither how large it is nor when it ends.
type pace struct {
	limit float64 // calls a second
	// top is the rate that was sustained when Cognito last refused a call, and
	// cut is when; a zero time means that it never did.
	top float64
	cut time.Time
	// passed counts the calls since then.
	passed float64
}

// at is the rate in calls a second.
func (p *pace) at(now time.Time) float64 {
	if p.cut.IsZero() {
		return p.limit
	}
	x := now.Sub(p.cut).Seconds()/regain.Seconds() - 1
	return min(p.limit, max(slowest, p.top*(1+(1-retreat)*x*x*x)))
}

// refused slows down. Between two refusals as many calls passed as there was
// room for, which is a better measure of it than the rate that overstepped it.
// A refusal of a call that was made before the last cut says nothing new.
func (p *pace) refused(now, sent time.Time) {
	if sent.Before(p.cut) {
		return
	}
	top := p.at(now)
	if since := now.Sub(p.cut); !p.cut.IsZero() && since >= measureOver {
		top = min(top, max(top/2, (p.passed-1)/since.Seconds()))
	}
	p.top, p.cut, p.passed = top, now, 0
}
