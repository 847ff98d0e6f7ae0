package quota

import "time"

// How the rate answers a refusal. The shape is that of CUBIC (RFC 9438): down at
// once, back to the rate that was sustained within regain, flat around it, and
// then ever faster upwards, since whoever else used the quota may have stopped.
const (
	decrease    = 0.7             // what a refusal leaves of the rate (RFC 9438 §4.6)
	regain      = 4 * time.Second // until the sustained rate is reached again; it is doubled after ten seconds
	lowestRate  = 1.0             // calls a second, however often Cognito refuses
	measureOver = time.Second     // a shorter time between two refusals does not tell what was sustained
)

// rate is how many calls a second may be made. The limit is COGNITO_WRITE_RPS. A
// refusal means that somebody else in the AWS account uses a part of the quota.
// Cognito tells neither how large that part is nor when it ends.
type rate struct {
	limit float64 // calls a second
	// sustained is the rate that Cognito accepted before it last refused a call,
	// and refused is when it did. Zero: never.
	sustained float64
	refused   time.Time
	admitted  float64 // calls since then
}

// at is the rate in calls a second.
func (r *rate) at(now time.Time) float64 {
	if r.refused.IsZero() {
		return r.limit
	}
	x := now.Sub(r.refused).Seconds()/regain.Seconds() - 1
	return min(r.limit, max(lowestRate, r.sustained*(1+(1-decrease)*x*x*x)))
}

// throttle slows down after Cognito refused a call that was sent at a given
// time. The calls admitted since the refusal before tell how much room there was
// better than the rate that was too high. A call that was sent before the last
// refusal tells nothing new.
func (r *rate) throttle(now, sent time.Time) {
	if sent.Before(r.refused) {
		return
	}
	sustained := r.at(now)
	if since := now.Sub(r.refused); !r.refused.IsZero() && since >= measureOver {
		sustained = min(sustained, max(sustained/2, (r.admitted-1)/since.Seconds()))
	}
	r.sustained, r.refused, r.admitted = sustained, now, 0
}
