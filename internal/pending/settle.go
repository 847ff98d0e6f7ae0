package pending

import (
	"bytes"
	"context"
	"errors"
)

// settle tells Redis what this replica did to a key while Redis was out of reach.
// Redis's own entry stays where it started later, or where another replica alone
// can open it.
func (r *Redis) settle(ctx context.Context, key string) error {
	mine := r.local.look(key)
	if mine == nil || !mine.unsent {
		return nil
	}
	theirs, err := r.get(ctx, key)
	if err != nil {
		return err
	}
	won := false
	if r.outdated(key, theirs, mine) {
		if won, err = r.exchange(ctx, key, theirs, mine); err != nil {
			return err
		}
	}
	if !won || mine.blob == nil {
		r.local.replace(key, mine, nil)
		return nil
	}
	sent := *mine
	sent.unsent = false
	r.local.replace(key, mine, &sent)
	return nil
}

// outdated tells whether what Redis has must give way to what this replica has.
func (r *Redis) outdated(key string, theirs []byte, mine *kept) bool {
	if theirs == nil {
		return true
	}
	p, err := r.local.sealer.open(key, theirs)
	if err != nil {
		return errors.Is(err, errBroken)
	}
	return !p.Started.After(mine.started)
}

// settleAll settles every key, and gives up when Redis is lost again. A key that
// Redis refuses stays unsettled until it is next looked for.
func (r *Redis) settleAll() bool {
	for _, key := range r.local.unsent() {
		ctx, cancel := context.WithTimeout(context.Background(), r.patience)
		err := r.settle(ctx, key)
		cancel()
		if _, refused := refusal(err); err != nil && !refused {
			return false
		}
	}
	return true
}

// unsent lists the keys that Redis must still hear of.
func (m *Memory) unsent() (keys []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, k := range m.entries.rows {
		if k.unsent {
			keys = append(keys, key)
		}
	}
	return keys
}

// agree drops the copy of an entry that is not what Redis has.
func (m *Memory) agree(key string, theirs []byte) {
	if k := m.look(key); k != nil && !k.unsent && !bytes.Equal(k.blob, theirs) {
		m.replace(key, k, nil)
	}
}
