package quota

import "time"

const (
	// memory is over how many people the habits of the past fade.
	memory = 200
	// priorPeople is how much the assumptions weigh that it begins with: that
	// everybody finishes, after priorAge.
	priorPeople = 20
	priorAge    = 20 * time.Second
	// settled is how many times the usual age a start must have before somebody
	// who has not come is believed to stay away.
	settled = 3
	// longestAge bounds what one person can add to the usual age.
	longestAge = 2 * time.Minute
	// mostReturning bounds what is expected of a start, relative to an enrollment
	// without a mistake.
	mostReturning = 1.5
)

// habits learns what follows the starts of one flow: how many calls, and when.
// It looks at the starts of one second together, and at those alone that are old
// enough to be judged; those of a minute ago say nothing yet.
type habits struct {
	calls  float64       // what an enrollment takes after its start, without a mistake
	age    time.Duration // the usual age of an enrollment when its code is entered
	starts float64       // those that are old enough, fading
	came   float64       // the calls that followed them, fading in step
	recent []cohort      // those that are not, the oldest first
}

// cohort is what started within one second, and what followed it.
type cohort struct {
	second       int64
	starts, came float64
}

func newHabits(calls float64) *habits {
	return &habits{calls: calls, age: priorAge, starts: priorPeople, came: priorPeople * calls}
}

// toFollow is how many calls are expected to follow a start.
func (h *habits) toFollow(now time.Time) float64 {
	for len(h.recent) > 0 && h.recent[0].second < now.Add(-settled*h.age).Unix() {
		old := h.recent[0]
		h.recent = h.recent[1:]
		fade := max(0, 1-old.starts/memory)
		h.starts = h.starts*fade + old.starts
		h.came = h.came*fade + old.came
	}
	return min(h.came/h.starts, mostReturning*h.calls)
}

// started counts a start.
func (h *habits) started(now time.Time) {
	if n := len(h.recent); n == 0 || h.recent[n-1].second < now.Unix() {
		h.recent = append(h.recent, cohort{second: now.Unix()})
	}
	h.recent[len(h.recent)-1].starts++
}

// followed counts a call that follows a start, of which the age is zero where
// it is not known.
func (h *habits) followed(now time.Time, age time.Duration) {
	if age > 0 {
		h.age += (min(age, longestAge) - h.age) / memory
	} else {
		age = h.age
	}
	began := now.Add(-age).Unix()
	for i := range h.recent {
		if h.recent[i].second >= began {
			h.recent[i].came++
			return
		}
	}
	h.came = min(h.came+1, mostReturning*h.calls*h.starts)
}
