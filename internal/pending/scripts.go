package pending

import "github.com/redis/go-redis/v9"

// Each step of the store is one script, and so one round trip. What a name holds
// is an entry or a pointer (seal.go): a pointer's first byte is 2, and from byte
// 38 on it is the name that it leads to. All keys are in one hash slot
// (redislink.Subsystem.Key), so a script may build them from what it reads.
//
//nolint:gochecknoglobals // Scripts are constants whose digest is computed once.
var (
	// findScript gives a name's pointer and entry, "" where there is none.
	// KEYS[1] is the name's key, ARGV[1] the prefix of all keys.
	findScript = redis.NewScript(`
local pointer, entry = "", redis.call("get", KEYS[1])
if entry and string.byte(entry) == 2 then
  pointer = entry
  entry = redis.call("get", ARGV[1] .. string.sub(pointer, 38))
end
return {pointer, entry or ""}`)

	// holdScript does that and locks the entry: it gives the lock's key as well,
	// or "" where somebody else holds it. ARGV[2] is the name, ARGV[3] the token,
	// ARGV[4] how long the lock lives, in milliseconds. Where ARGV[5] is "claim" it
	// locks a name that leads to nothing, and no other.
	holdScript = redis.NewScript(`
local name, pointer, entry = ARGV[2], "", redis.call("get", KEYS[1])
if entry and string.byte(entry) == 2 then
  pointer = entry
  name = string.sub(pointer, 38)
  entry = redis.call("get", ARGV[1] .. name)
end
if entry and ARGV[5] == "claim" then
  return {pointer, entry, ""}
end
local lock = ARGV[1] .. "lock:" .. name
if not redis.call("set", lock, ARGV[3], "nx", "px", ARGV[4]) then
  return {"", "", ""}
end
return {pointer, entry or "", lock}`)

	// releaseScript writes what a holder staged and unlocks, unless somebody else
	// has the lock, KEYS[1], by now. ARGV[1] is the holder's token and ARGV[2]
	// "held"; or "" where the holder went on without the lock, which nobody may
	// have then. Where something was staged there follow the entry's key, the
	// entry, its lifetime in milliseconds and, where there is one, a pointer's key
	// and the pointer. It gives 1, or 0 where it did nothing.
	releaseScript = redis.NewScript(`
local holder = redis.call("get", KEYS[1])
if holder ~= ARGV[1] and (holder or ARGV[2] == "held") then
  return 0
end
if ARGV[3] then
  redis.call("set", ARGV[3], ARGV[4], "px", ARGV[5])
  if ARGV[6] then
    redis.call("set", ARGV[6], ARGV[7], "px", ARGV[5])
  end
end
if holder then
  redis.call("del", KEYS[1])
end
return 1`)
)
