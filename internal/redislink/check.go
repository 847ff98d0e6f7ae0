package redislink

import (
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// trial does with Redis what the subsystems' scripts do, by every command that
// they use, and tells which were refused, as "command code". It writes KEYS[1]
// alone, the probe, which expires; what it deletes is never there.
//
// KEYS: the probe, and one key of each subsystem, that of events last.
//
//nolint:gochecknoglobals // A constant whose digest is computed once.
var trial = redis.NewScript(`
local refused = {}
local function try(...)
	local answer = redis.pcall(...)
	if type(answer) == 'table' and answer.err and not string.find(answer.err, 'WRONGTYPE') then
		local command = select(1, ...)
		refused[#refused + 1] = command .. ' ' .. answer.err
	end
end
try('TIME')
try('SET', KEYS[1], '1', 'PX', '1000')
for i = 1, #KEYS do
	try('GET', KEYS[i])
	if i > 1 then try('DEL', KEYS[i]) end
end
-- The lists and sorted sets of events. Nothing is written: the last key is never
-- there, and the probe is neither a list nor a set.
local events = KEYS[#KEYS]
try('RPUSH', KEYS[1], '1')
try('ZADD', KEYS[1], 1, '1')
try('LLEN', events)
try('LINDEX', events, 0)
try('LPOS', events, '1')
try('LREM', events, 1, '1')
try('ZREM', events, '1')
try('ZCARD', events)
try('ZRANGEBYSCORE', events, 0, 1)
try('PEXPIRE', events, 1000)
return refused
`)

// Check asks Redis for every right that the service needs: to write and read the
// keys of each subsystem, by scripts and without. It names in constant words what
// is wrong, and returns nothing where all is well. All that it writes is one key,
// which expires after a second.
func (l *Link) Check(ctx context.Context) (problems []string) {
	ctx, cancel := context.WithTimeout(ctx, 3*l.patience)
	defer cancel()
	if kind, reason := classify(l.probe(ctx)); kind == lost || kind == crowded {
		return []string{"Redis is out of reach (" + reason + ")"}
	} else if kind == refusal {
		problems = append(problems, refusedText("set", reason))
	}
	keys := []string{keyPrefix + "probe"}
	for _, subsystem := range []string{Pending, Limit, Quota, Events} {
		keys = append(keys, keyPrefix+subsystem+":probe")
	}
	// EVAL keeps the script, so that EVALSHA finds it.
	if kind, reason := classify(trial.Eval(ctx, l.client, keys).Err()); kind != answered {
		return append(problems, refusedText("eval", reason))
	}
	refused, err := trial.EvalSha(ctx, l.client, keys).StringSlice()
	if kind, reason := classify(err); kind != answered {
		return append(problems, refusedText("evalsha", reason))
	}
	for _, line := range refused {
		command, reply, _ := strings.Cut(line, " ")
		kind, code := classify(replyError(reply))
		if kind == answered {
			continue
		}
		// Redis says "The user executing the script can't run this command or
		// subcommand" without a code of its own up to version 7.0.
		if strings.Contains(reply, "user executing the script") || strings.Contains(reply, "can't access at least one of the keys") {
			code = "NOPERM"
		}
		problems = append(problems, refusedText(strings.ToLower(command), code))
	}
	slices.Sort(problems)
	return slices.Compact(problems)
}

func refusedText(command, code string) string {
	return "Redis refuses " + command + " (" + code + "): " + remedy(code)
}

// replyError is a reply with an error that a script passed on.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError makes it one of go-redis's.
func (replyError) RedisError() {}
