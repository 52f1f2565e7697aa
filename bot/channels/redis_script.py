"""Count requests inside Redis: one script, which all processes run.

All windows of a request are checked and written at once. Keys: the mark of this memory, when one was lost, how often
and when the script ran, then one for each window. Whatever forgot requests (a flush, a restart with an old copy) is
known by a mark that is new or a number of runs that went back; then nothing is granted until all that may be forgotten
has left its window. So it is when somebody comes back (`lose`) and nobody else was there meanwhile: all were alone.
"""

from bot.channels.rate_limit import SHARES

SCRIPT = """
local op, id, known, turn = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local now, lane, want = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local time = redis.call('TIME')
now = now or tonumber(time[1]) + tonumber(time[2]) / 1000000
local marks = redis.call('MGET', KEYS[1], KEYS[2])
local mark, lost = marks[1], tonumber(marks[2] or '')
local turns = redis.call('HINCRBY', KEYS[3], 'n', 1)
local last = tonumber(redis.call('HGET', KEYS[3], 'at') or '')
redis.call('HSET', KEYS[3], 'at', string.format('%.6f', now))

local function lose()
  lost = now
  redis.call('SET', KEYS[2], string.format('%.6f', now), 'EX', 3600)
end

if not mark then
  mark = id .. ':' .. time[1] .. ':' .. time[2]
  redis.call('SET', KEYS[1], mark)
  if known ~= '' then lose() end
elseif known == mark then
  if turns <= turn then lose() end
elseif known ~= '' and known ~= '?' and not lost then
  if tonumber(time[1]) - tonumber(string.match(mark, ':(%d+):')) < 3600 then lose() end
end
if op == 'lose' and not (last and now - last < 30) and not (lost and now - lost < 60) then lose() end

local SHARES = {SHARES_OF_LANES}
local function cap(limit, of) return math.max(1, math.floor(limit * SHARES[of + 1] / 100)) end

local function load(key, limit, seconds)
  local s = {key = key, n = {}, b = {}, order = {}, gone = {}, total = 0, bulk = 0, paced = 0, blocked = 0}
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    if flat[i] == 'seconds' then seconds = seconds or tonumber(flat[i + 1]) end
  end
  if not seconds then return nil end
  s.seconds, s.width, s.span = seconds, seconds / 60, seconds + math.min(2, seconds / 10)
  s.limit = limit
  for i = 1, #flat, 2 do
    local field, value = flat[i], tonumber(flat[i + 1])
    if field == 'paced' then s.paced = value
    elseif field == 'blocked' then s.blocked = value
    elseif field ~= 'seconds' then
      local index = tonumber(string.sub(field, 2))
      if (index + 1) * s.width <= now - s.span then
        s.gone[#s.gone + 1] = field
      elseif string.sub(field, 1, 1) == 'n' then
        s.n[index], s.total = value, s.total + value
        s.order[#s.order + 1] = index
      else
        s.b[index], s.bulk = value, s.bulk + value
      end
    end
  end
  table.sort(s.order)
  s.asked = s.blocked
  if lost then s.blocked = math.max(s.blocked, lost + s.span + 2) end
  return s
end

local function keep(s)
  if #s.gone > 0 then redis.call('HDEL', s.key, unpack(s.gone)) end
  local ends = math.max(now + s.span + s.width, s.paced, s.asked)
  redis.call('PEXPIRE', s.key, math.ceil((ends - now) * 1000) + 1000)
end

local function add(s, number, bulk)
  local index = string.format('%.0f', math.floor(now * 60 / s.seconds))
  redis.call('HSET', s.key, 'seconds', s.seconds)
  redis.call('HINCRBY', s.key, 'n' .. index, number)
  if bulk > 0 then
    redis.call('HINCRBY', s.key, 'b' .. index, bulk)
    redis.call('HSET', s.key, 'paced', string.format('%.6f', s.paced))
  end
  index = tonumber(index)
  if not s.n[index] then s.order[#s.order + 1] = index end
  s.n[index], s.total = (s.n[index] or 0) + number, s.total + number
  s.b[index], s.bulk = (s.b[index] or 0) + bulk, s.bulk + bulk
  keep(s)
end

local function pace(s)
  local bulk = cap(s.limit, 2)
  return (s.span + s.width) / bulk, math.ceil(bulk / 60) + 4
end

local function freed(s, number, column)
  for _, index in ipairs(s.order) do
    number = number - (s[column][index] or 0)
    if number <= 0 then return math.max(0, (index + 1) * s.width + s.span - now) end
  end
  return s.span
end

local all = {}
for i = 4, #KEYS do
  local at = 8 + (i - 4) * 2
  all[#all + 1] = load(KEYS[i], tonumber(ARGV[at]), tonumber(ARGV[at + 1]))
end

if op == 'take' then
  local number = want
  for i, s in ipairs(all) do
    local room = cap(s.limit, lane) - s.total
    if lane == 2 then
      local interval, burst = pace(s)
      local paced = math.floor(burst - math.max(0, s.paced - now) / interval + 0.000001)
      if i > 1 then
        paced = math.min(math.ceil(paced / 2), math.max(1, math.floor(s.limit / 2)) - all[1].bulk)
      end
      room = math.min(room, paced)
    end
    if s.blocked > now then room = 0 end
    number = math.min(number, room)
  end
  number = math.max(0, number)
  if number > 0 then
    for _, s in ipairs(all) do
      if lane == 2 then s.paced = math.max(s.paced, now) + number * pace(s) end
      add(s, number, lane == 2 and number or 0)
    end
  end
  local wait = 0
  if number < want then
    wait = 0.001
    for i, s in ipairs(all) do
      wait = math.max(wait, s.blocked - now)
      local missing = s.total + 1 - cap(s.limit, lane)
      if missing > 0 then wait = math.max(wait, freed(s, missing, 'n')) end
      if lane == 2 then
        local interval, burst = pace(s)
        local some = math.min(want - number, math.max(1, math.floor(burst / 2)))
        if i > 1 then some = math.min(2 * (want - number), burst) end
        wait = math.max(wait, s.paced - now - (burst - some) * interval)
        missing = all[1].bulk + 1 - math.max(1, math.floor(s.limit / 2))
        if i > 1 and missing > 0 then wait = math.max(wait, freed(all[1], missing, 'b')) end
      end
    end
  end
  local blocks = {}
  for i, s in ipairs(all) do blocks[i] = string.format('%.6f', math.max(0, s.asked - now)) end
  return {number, string.format('%.6f', wait), mark, turns, lost and string.format('%.6f', lost) or '', blocks}
end

for _, s in ipairs(all) do
  if op == 'back' then
    local left, newest = want, s.order[#s.order]
    local bulk = math.min(want, newest and s.b[newest] or 0)
    if bulk > 0 then
      redis.call('HINCRBY', s.key, 'b' .. string.format('%.0f', newest), -bulk)
      redis.call('HSET', s.key, 'paced', string.format('%.6f', s.paced - bulk * pace(s)))
    end
    for from = 1, 2 do
      for _, index in ipairs(s.order) do
        local back = math.min(left, s.n[index])
        if back > 0 and (from == 2 or index >= newest - 15) then
          left, s.n[index] = left - back, s.n[index] - back
          redis.call('HINCRBY', s.key, 'n' .. string.format('%.0f', index), -back)
        end
      end
    end
  elseif op == 'add' then
    add(s, want, 0)
  elseif op == 'note' then
    local unseen = want - s.total
    if unseen > 0 then add(s, unseen, 0) end
  end
end
if op == 'block' then
  for i = 4, #KEYS do
    local till = math.max(now + want, tonumber(redis.call('HGET', KEYS[i], 'blocked') or '0'))
    redis.call('HSET', KEYS[i], 'blocked', string.format('%.6f', till))
    local left = math.max(redis.call('PTTL', KEYS[i]), math.ceil((till - now) * 1000) + 1000)
    redis.call('PEXPIRE', KEYS[i], left)
  end
end
return {0, '0', mark, turns, lost and string.format('%.6f', lost) or ''}
""".replace("SHARES_OF_LANES", ", ".join(map(str, SHARES)))
