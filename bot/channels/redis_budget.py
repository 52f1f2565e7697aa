"""Keep all processes together within what a provider allows: the same counting as in one process, done by Redis.

Redis' clock counts, so that the hosts' clocks do not matter; all windows of a request are checked and written in one
script. Decided on purpose for bad days, each time for too few requests rather than too many:

* Redis does not answer: each process goes on by itself with a quarter of every limit, asks again each second, and on
  the way back adds what it has spent meanwhile.
* Redis has lost its memory (flushed, restarted): whoever notices puts everybody on a quarter until nothing that was
  spent before can count any more.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from bot.channels.local_budget import LocalBudget
from bot.channels.rate_limit import Grant, Window, keys_of
from bot.logs import logger
from bot.queue import QUEUE_ERRORS

_log = logger("rates")
_PREFIX = "loa:rate:"
_MARK = "loa:rates:mark"
_LOST = "loa:rates:lost"
_PATIENCE = 1.0
_PAUSE = 1.0
_CAREFUL = 4
_FORGIVE = 5.0

_SCRIPT = """
local op, id, known = ARGV[1], ARGV[2], ARGV[3]
local now, lane, want = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
now = now or tonumber(time[1]) + tonumber(time[2]) / 1000000
local marks = redis.call('MGET', KEYS[1], KEYS[2])
local mark, lost = marks[1], marks[2]
if not mark then
  mark = id .. ':' .. time[1] .. ':' .. time[2]
  redis.call('SET', KEYS[1], mark)
end
if known ~= '' and known ~= mark and not lost then
  lost = string.format('%.6f', now)
  redis.call('SET', KEYS[2], lost, 'EX', 3600)
end

local SHARES = {100, 90, 80}
local function cap(limit, of) return math.max(1, math.floor(limit * SHARES[of + 1] / 100)) end

local function load(key, limit, seconds)
  local s = {key = key, n = {}, b = {}, order = {}, gone = {}, total = 0, bulk = 0, paced = 0, blocked = 0}
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    if flat[i] == 'seconds' then seconds = seconds or tonumber(flat[i + 1]) end
  end
  if not seconds then return nil end
  s.seconds, s.width, s.span = seconds, seconds / 60, seconds + math.min(2, seconds / 10)
  if lost and limit and now - tonumber(lost) < s.span then limit = math.max(1, math.floor(limit / 4)) end
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
  return s
end

local function keep(s)
  if #s.gone > 0 then redis.call('HDEL', s.key, unpack(s.gone)) end
  local ends = math.max(now + s.span + s.width, s.paced, s.blocked)
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
for i = 3, #KEYS do
  local at = 7 + (i - 3) * 2
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
  return {number, string.format('%.6f', wait), mark}
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
  for i = 3, #KEYS do
    local till = math.max(now + want, tonumber(redis.call('HGET', KEYS[i], 'blocked') or '0'))
    redis.call('HSET', KEYS[i], 'blocked', string.format('%.6f', till))
    local left = math.max(redis.call('PTTL', KEYS[i]), math.ceil((till - now) * 1000) + 1000)
    redis.call('PEXPIRE', KEYS[i], left)
  end
end
return {0, '0', mark}
"""


class RunsScripts(Protocol):
    """What is needed of a Redis client."""

    def register_script(self, script: str) -> Any:
        """Return a function of keys and arguments that runs a script, loading it again when Redis has forgotten it."""


class RedisBudget:
    """Count for all processes that share one Redis; `clock` replaces Redis' own in tests."""

    def __init__(
        self,
        redis: RunsScripts,
        *,
        clock: Callable[[], float] | None = None,
        local: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._clock = clock
        self._local_clock = local
        self._id = secrets.token_hex(8)
        self._mark = ""
        self._alone: LocalBudget | None = None
        self._ask_again = 0.0
        self._switched = -_FORGIVE
        self._spent_alone: dict[Window, int] = {}

    async def take(self, windows: Sequence[Window], lane: int, want: int) -> Grant:
        """Take up to `want` requests out of all windows at once; without windows there is no limit."""
        if not windows or want <= 0:
            return Grant(max(want, 0), 0.0)
        answer = await self._run("take", windows, lane, want)
        if answer is not None:
            return Grant(int(answer[0]), float(answer[1]))
        assert self._alone is not None
        careful = [Window(w.key, max(1, w.limit // _CAREFUL), w.seconds) for w in windows]
        grant = await self._alone.take(careful, lane, want)
        if grant.number:
            for window in windows:
                self._spent_alone[window] = self._spent_alone.get(window, 0) + grant.number
        return grant

    async def give_back(self, windows: Sequence[Window], number: int) -> None:
        """Return requests that were taken and not made; just after a change of counters they are let go."""
        if windows and number > 0 and self._local_clock() - self._switched >= _FORGIVE:
            await self._run("back", windows, 0, number)

    async def block(self, windows_or_key: Sequence[Window] | str, seconds: float) -> None:
        """Grant nothing for so long: the provider asks to wait."""
        windows = [Window(key, 0, 0) for key in keys_of(windows_or_key)]
        if windows and await self._run("block", windows, 0, seconds) is None and self._alone is not None:
            await self._alone.block(windows_or_key, seconds)

    async def note_remaining(self, key: str, limit: int, remaining: int) -> None:
        """Believe the provider's own count where it is higher than ours: others may spend the same allowance."""
        await self._run("note", [Window(key, 0, 0)], 0, limit - remaining)

    async def _run(self, op: str, windows: Sequence[Window], lane: int, number: float) -> list[Any] | None:
        """Run one step of the script; None while Redis does not answer."""
        if self._alone is not None:
            now = self._local_clock()
            if now < self._ask_again:
                return None
            self._ask_again = now + _PAUSE + _PATIENCE  # one asks, the others go on meanwhile
        try:
            if self._alone is not None:
                await self._return()
            return await self._ask(op, windows, lane, number)
        except QUEUE_ERRORS as error:
            self._ask_again = self._local_clock() + _PAUSE
            if self._alone is None:
                self._alone, self._switched = LocalBudget(self._local_clock), self._local_clock()
                _log.warning("counting alone, with a quarter of every limit", error=type(error).__name__)
            return None

    async def _return(self) -> None:
        while self._spent_alone:
            window, number = self._spent_alone.popitem()
            try:
                await self._ask("add", [window], 0, number)
            except QUEUE_ERRORS:
                self._spent_alone[window] = self._spent_alone.get(window, 0) + number
                raise
        self._alone, self._switched = None, self._local_clock()
        _log.warning("counting together again")

    async def _ask(self, op: str, windows: Sequence[Window], lane: int, number: float) -> list[Any]:
        keys = [_MARK, _LOST, *(_PREFIX + window.key for window in windows)]
        clock = "" if self._clock is None else f"{self._clock():.6f}"
        sizes = [part for w in windows for part in ((w.limit, w.seconds) if w.seconds else ("", ""))]
        async with asyncio.timeout(_PATIENCE):
            answer: list[Any] = await self._script(keys, [op, self._id, self._mark, clock, lane, number, *sizes])
        self._mark = answer[2].decode() if isinstance(answer[2], bytes) else str(answer[2])
        return answer
