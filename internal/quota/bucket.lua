-- The bucket that replicas share: what memoryBucket does in memory, in one step
-- for all replicas. memory.go explains it, and one suite tests both.
--
-- KEYS: 1 the bucket (numbers in a string); then for each request
--         the queue position of its person, and when its session was first seen
-- ARGV: 1 the limit, in calls a second
--       2 how long ago a call was sent that Cognito refused, in seconds; -1: none
--       3 the time, in seconds, where a test has a clock of its own; 0: Redis's
--         then for each request
--         rank, price, position (0: not known), horizon in seconds,
--         1 if it has a session, 1 to reserve only
-- Reply, as strings, since Redis cuts numbers to integers: the sustained rate,
--       the seconds since the last refusal (-1: none); then for each request
--       granted, retry, turn, position, expired
--
-- redis.go puts the constants, in capitals, before this.
local limit, took, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now == 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local held = {}
for number in string.gmatch(redis.call('GET', KEYS[1]) or '', '%S+') do held[#held + 1] = tonumber(number) end
local sustained, refused, admitted, urgent = held[3] or 0, held[4] or 0, held[5] or 0, held[10] or 0
local lines = { { clock = held[6] or 1, tail = held[7] or 1 }, { clock = held[8] or 1, tail = held[9] or 1 } }

local rate = limit
if refused > 0 then
  local x = (now - refused) / REGAIN - 1
  rate = math.min(limit, math.max(LOWEST_RATE, sustained * (1 + (1 - DECREASE) * x * x * x)))
end
local burst = math.max(2, math.min(5, rate / 2), rate * BURST_OVER)

local function share(rank)
  local other = lines[3 - rank]
  if other.tail <= other.clock then return 1 end
  return rank == 2 and STRANGERS_SHARE or 1 - STRANGERS_SHARE
end

local grown = rate * math.max(0, now - (held[1] or now))
local tokens = math.min((held[2] or burst) + grown, burst)
local starts, strangers = share(1), share(2)
lines[1].clock = lines[1].clock + grown * starts
lines[2].clock = lines[2].clock + grown * strangers

if took >= 0 then
  tokens = 0
  if now - took >= refused then
    sustained = rate
    if refused > 0 and now - refused >= MEASURE_OVER then
      sustained = math.min(rate, math.max(rate / 2, (admitted - 1) / (now - refused)))
    end
    refused, admitted = now, 0
  end
end

local function turn(rank, calls)
  local other = lines[3 - rank]
  return math.max(0, math.min(calls / share(rank), calls + math.max(0, other.tail - other.clock)) / rate)
end

local function age(r)
  return r.session and now - tonumber(redis.call('GET', r.sessionKey) or now) or 0
end

-- place returns the position (0: none), the turn, whether the session expires
-- before, and whether it has ended.
local function place(r)
  local old = age(r)
  if r.position == 0 and old > r.horizon + SESSION_RESERVE / 2 then return 0, 0, true, true end
  local line, position = lines[r.rank], r.position
  if position == 0 then position = tonumber(redis.call('GET', r.personKey) or 0) end
  local given = position > 0
  if not given then position = math.max(line.clock, line.tail) end
  local due = turn(r.rank, position - line.clock)
  if not given and due > 0 then
    if r.session then redis.call('SET', r.sessionKey, now, 'NX', 'EX', math.ceil(r.horizon + GRACE_OVER)) end
    if due > r.horizon - old then return 0, due, due <= r.horizon, false end
  end
  if not given then line.tail = position + r.price end
  if r.position == 0 then redis.call('SET', r.personKey, position, 'EX', math.ceil(due + GRACE_OVER)) end
  return position, due, false, false
end

local function needs(rank, due)
  if rank == 0 then return 1 end
  if urgent > now then return burst end
  return due and 2 or math.min(burst, 2 + rank)
end

local function take(r)
  local position, turn, expired, ended = 0, 0, false, false
  if r.price > 0 then position, turn, expired, ended = place(r) end
  if ended then return 0, 0, 0, 0, 1 end
  local retry = math.max(0, (needs(r.rank, turn == 0) - tokens) / rate)
  if turn > 0 and position > 0 then retry = math.min(retry, math.max(turn, (needs(r.rank, true) - tokens) / rate)) end
  if r.rank == 0 and retry > 0 then urgent = now + URGENT_OVER end
  if r.reserve or retry > 0 then return 0, retry, turn, position, expired and 1 or 0 end
  tokens, admitted = tokens - 1, admitted + 1
  if r.price > 0 then
    local line = lines[r.rank]
    if position > line.clock then line.clock = line.clock + r.price end
    redis.call('DEL', r.personKey)
  end
  return 1, 0, 0, 0, 0
end

local reply = { sustained, refused > 0 and now - refused or -1 }
for i = 1, (#KEYS - 1) / 2 do
  local n = 6 * i - 3
  for _, part in ipairs({ take({
    rank = tonumber(ARGV[n + 1]), price = tonumber(ARGV[n + 2]), position = tonumber(ARGV[n + 3]), horizon = tonumber(ARGV[n + 4]),
    session = ARGV[n + 5] == '1', reserve = ARGV[n + 6] == '1', personKey = KEYS[2 * i], sessionKey = KEYS[2 * i + 1],
  }) }) do reply[#reply + 1] = part end
end
for i = 1, #reply do reply[i] = tostring(reply[i]) end

local kept = { now, tokens, sustained, refused, admitted, lines[1].clock, lines[1].tail, lines[2].clock, lines[2].tail, urgent }
for i = 1, #kept do kept[i] = string.format('%.17g', kept[i]) end
redis.call('SET', KEYS[1], table.concat(kept, ' '), 'EX', 3600) -- No queue position is kept for longer.
return reply
