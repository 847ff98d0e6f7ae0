-- Two steps on token buckets and marks, each atomic. Every key is in one hash slot.
-- A bucket is the time, in microseconds, at which it is full again (GCRA); one
-- that is full is not kept.
-- KEYS[1] begins the names of all keys; the others are what the step names.
-- ARGV[1] is "take" or "settle", ARGV[2] the step as JSON (redis.go).
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local step = cjson.decode(ARGV[2])

-- A bucket's key; the bucket of a mark's value is not known before the mark is read.
local function key(want, value)
  if want.k > 0 then return KEYS[want.k] end
  return KEYS[1] .. want.g .. ':' .. value
end

local function full(name)
  return math.max(now, tonumber(redis.call('GET', name) or 0))
end

local function keep(name, at)
  if at > now then
    redis.call('SET', name, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000))
  else
    redis.call('DEL', name)
  end
end

local function mark(marks)
  for _, m in ipairs(marks) do redis.call('SET', KEYS[m.k], m.v, 'PX', m.t) end
end

if ARGV[1] == 'settle' then
  for _, want in ipairs(step.w) do
    local name = key(want, '')
    keep(name, full(name) - want.n * want.i)
  end
  mark(step.m)
  return 0
end

-- {the case that decided, the bucket in which tokens are missing, for how long, the mark's value}
for number, case in ipairs(step) do
  local value = ''
  if case.k > 0 then value = redis.call('GET', KEYS[case.k]) end
  if value then
    local after, wait, met = {}, 0, 0
    for i, want in ipairs(case.w) do
      after[i] = full(key(want, value)) + want.n * want.i
      local missing = after[i] - now - want.b * want.i
      if missing > wait then wait, met = missing, i end
    end
    if wait == 0 then
      for i, want in ipairs(case.w) do keep(key(want, value), after[i]) end
      mark(case.m)
    end
    if wait == 0 or not case.t then return {number, met, wait, value} end
  end
end
return redis.error_reply('ERR no case decides')
