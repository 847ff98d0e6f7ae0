-- The account of the quota that replicas share: what pacer_account.go does in
-- memory, in one step for all of them. The tests run the same suite on both.
--
-- KEYS: 1 the account (a hash)
--       2 the line (a sorted set of people by place)
--       3 until when each place is kept (a sorted set of people by time)
--       4 when this session came first, where there is one
-- ARGV: 1 what to do: take, look, leave or refused
--       2 the limit, in calls a second     3 credit to the room
--       4 1 for a start                    5 the person
--       6 the cost                         7 how far ahead a place may be, seconds
--       8 how many starts wait there       9 refused: how long ago it was sent
--      10 1 where there is a session
--      11.. the constants: burstOver, aheadOver, overdrive, graceOver,
--            retreat, regain, slowest, measureOver
local did, limit, credit, start = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local person, cost, ahead = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local queued, took, ages = tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10] == '1'
local burstOver, aheadOver, overdrive, graceOver = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local retreat, regain, slowest, measureOver = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18])

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local held = redis.call('HMGET', KEYS[1], 'at', 'tokens', 'room', 'top', 'cut', 'passed', 'last')
local top, cut, passed = tonumber(held[4] or 0), tonumber(held[5] or 0), tonumber(held[6] or 0)
local last = tonumber(held[7] or 0)

local function pace()
  if cut == 0 then return limit end
  local x = (now - cut) / regain - 1
  return math.min(limit, math.max(slowest, top * (1 + (1 - retreat) * x * x * x)))
end

local rate = pace()
local burst = math.max(2, rate * burstOver)
local grown = rate * math.max(0, now - tonumber(held[1] or now))
local tokens = math.min(tonumber(held[2] or burst) + grown, burst)
local room = math.min(tonumber(held[3] or rate * aheadOver) + grown * overdrive + credit, rate * aheadOver)

local granted, wait, place, stale = 0, 0, 0, 0

-- age is how long ago the session came first.
local function age()
  if not ages then return 0 end
  redis.call('SET', KEYS[4], now, 'NX', 'EX', math.ceil(ahead + graceOver))
  return now - tonumber(redis.call('GET', KEYS[4]))
end

-- stand gives a person a place in the line and returns how many are before.
local function stand()
  for _, late in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. string.format('%.6f', now), 'LIMIT', 0, 100)) do
    redis.call('ZREM', KEYS[2], late)
    redis.call('ZREM', KEYS[3], late)
  end
  local before = redis.call('ZRANK', KEYS[2], person)
  if before then
    place = tonumber(redis.call('ZSCORE', KEYS[2], person))
  else
    before = redis.call('ZCARD', KEYS[2])
    place = last + 1
    if before * cost / rate > ahead - age() then
      if before * cost / rate <= ahead then stale = 1 end
      return before
    end
    last = place
    redis.call('ZADD', KEYS[2], place, person)
  end
  redis.call('ZADD', KEYS[3], now + before * cost / rate + graceOver, person)
  return before
end

if did == 'leave' then
  redis.call('ZREM', KEYS[2], person)
  redis.call('ZREM', KEYS[3], person)
elseif did == 'refused' then
  tokens = 0
  local sent = now - took
  if sent >= cut then
    local sustained = rate
    if cut > 0 and now - cut >= measureOver then
      sustained = math.min(sustained, math.max(sustained / 2, (passed - 1) / (now - cut)))
    end
    top, cut, passed = sustained, now, 0
  end
else
  local before = 0
  if cost > 0 then before = stand() end
  if did == 'look' then
    local idle = queued == 0 and room >= cost and tokens >= math.max(2, burst / 2)
    if not idle then wait = before * cost / rate end
  else
    local needed = start and 2 or 1
    wait = math.max(0, (cost - room) / (rate * overdrive), (needed - tokens) / rate)
    if wait == 0 then
      granted = 1
      tokens = tokens - 1
      room = room - cost
      passed = passed + 1
      if cost > 0 then
        redis.call('ZREM', KEYS[2], person)
        redis.call('ZREM', KEYS[3], person)
      end
    end
  end
end

redis.call('HSET', KEYS[1], 'at', now, 'tokens', tokens, 'room', room, 'top', top, 'cut', cut, 'passed', passed, 'last', last)
-- Nobody in the line waits for longer than this.
for n = 1, 3 do redis.call('EXPIRE', KEYS[n], 3600) end
local since = 0
if cut > 0 then since = now - cut end
return { granted, tostring(wait), place, tostring(top), tostring(since), stale }
