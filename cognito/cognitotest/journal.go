package cognitotest

import (
	"slices"
	"time"
)

// Call is a call that was answered. It holds nothing of the request or the reply.
type Call struct {
	At        time.Time // by the server's clock
	Operation string
	Status    int
	Exception string `json:",omitempty"`
}

// longestJournal is how many calls are kept, the latest ones.
const longestJournal = 1000

// note keeps a call.
func (s *Server) note(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.journal) >= 2*longestJournal {
		s.journal = slices.Clone(s.journal[len(s.journal)-longestJournal+1:])
	}
	s.journal = append(s.journal, c)
}

// Journal returns the latest 1000 calls that were answered, oldest first.
func (s *Server) Journal() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal[max(0, len(s.journal)-longestJournal):])
}
