-- The queue of events, in steps that are each atomic. Every key is in one hash slot.
-- of:PERSON is the list of a person's sealed events, the oldest first; due has the
-- people with events, by the time (ms) from which the next may be sent; lease:PERSON
-- says who sends it at the moment; failed:PERSON counts the attempts for the oldest;
-- replica:ID says that what a replica put before is
-- still here. KEYS[1] begins the names of all keys, ARGV[1] is the step.
local prefix, step = KEYS[1], ARGV[1]
local due = prefix .. 'due'

-- ARGV: replica, how long things are kept (ms), now (ms), most people, most of one
-- person, then person and event in turn. It gives for each event 1 where it is here,
-- and 0 where it does not fit.
if step == 'put' then
  local kept = {}
  redis.call('set', prefix .. 'replica:' .. ARGV[2], 1, 'px', ARGV[3])
  for i = 7, #ARGV, 2 do
    local list = prefix .. 'of:' .. ARGV[i]
    local length = redis.call('llen', list)
    local full = length >= tonumber(ARGV[6]) or length == 0 and redis.call('zcard', due) >= tonumber(ARGV[5])
    if redis.call('lpos', list, ARGV[i + 1]) then
      kept[#kept + 1] = 1
    elseif full then
      kept[#kept + 1] = 0
    else
      redis.call('rpush', list, ARGV[i + 1])
      redis.call('zadd', due, 'nx', ARGV[4], ARGV[i])
      kept[#kept + 1] = 1
    end
    redis.call('pexpire', list, ARGV[3])
  end
  redis.call('pexpire', due, ARGV[3])
  return kept
end

-- ARGV: now (ms), token, how long the lease lives (ms). It gives a person, the
-- oldest event and the attempts for it, or the time (ms) at which the next is due, or nothing.
if step == 'take' then
  local now = tonumber(ARGV[2])
  for _, person in ipairs(redis.call('zrangebyscore', due, '-inf', now, 'limit', 0, 20)) do
    local event = redis.call('lindex', prefix .. 'of:' .. person, 0)
    if not event then
      redis.call('zrem', due, person)
    else
      local mine = redis.call('set', prefix .. 'lease:' .. person, ARGV[3], 'nx', 'px', ARGV[4])
      redis.call('zadd', due, string.format('%.0f', now + (mine and ARGV[4] or 1000)), person)
      if mine then
        return {person, event, tonumber(redis.call('get', prefix .. 'failed:' .. person) or 0)}
      end
    end
  end
  local first = redis.call('zrangebyscore', due, '-inf', '+inf', 'withscores', 'limit', 0, 1)
  if first[2] then return {first[2]} end
  return {}
end

-- ARGV: person, token, event, now (ms). The event goes whoever has the lease by now.
if step == 'done' then
  local list, lease = prefix .. 'of:' .. ARGV[2], prefix .. 'lease:' .. ARGV[2]
  redis.call('lrem', list, 1, ARGV[4])
  if redis.call('get', lease) == ARGV[3] then
    redis.call('del', lease, prefix .. 'failed:' .. ARGV[2])
    if redis.call('llen', list) == 0 then
      redis.call('zrem', due, ARGV[2])
    else
      redis.call('zadd', due, ARGV[5], ARGV[2])
    end
  end
  return 1
end

-- ARGV: person, token, when (ms), attempts, how long things are kept (ms).
if step == 'later' then
  local lease = prefix .. 'lease:' .. ARGV[2]
  if redis.call('get', lease) == ARGV[3] then
    redis.call('del', lease)
    redis.call('set', prefix .. 'failed:' .. ARGV[2], ARGV[5], 'px', ARGV[6])
    redis.call('zadd', due, ARGV[4], ARGV[2])
  end
  return 1
end

-- ARGV: replica, then person and event in turn. It gives for each event whether it
-- is still here, or nothing where Redis has forgotten what the replica put.
if step == 'still' then
  if not redis.call('get', prefix .. 'replica:' .. ARGV[2]) then return {} end
  local here = {}
  for i = 3, #ARGV, 2 do
    here[#here + 1] = redis.call('lpos', prefix .. 'of:' .. ARGV[i], ARGV[i + 1]) and 1 or 0
  end
  return here
end

return redis.error_reply('ERR no such step')
