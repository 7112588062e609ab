-- Accounts of limits, by the store's own clock: charges each what it owes, grants what is wanted if there is room, and says
-- what is left. The arithmetic is that of `portcullis-limit`.
--
-- KEYS     the accounts
-- ARGV     for each of them ten: kind; limit; microseconds per unit, per window, or the period; minutes ahead of UTC;
--          need, least, ahead, owed, known, gateways (see `StoreAsk`)
-- returns  for each of them what was granted, what is left, for how many milliseconds it may be spent
local time = redis.call('TIME')
local seconds, micros = tonumber(time[1]), tonumber(time[2])
-- Since a day in 2023, so that a double holds it to a sixtieth of a microsecond.
local now = (seconds - 1700000000) * 1000000 + micros

-- Number of the period, and how many seconds of it are left.
local function period(step, offset)
  local here = seconds + offset * 60
  if step < 3 then
    local length = step == 1 and 3600 or 86400
    return math.floor(here / length), length - here % length
  end
  -- Year and month of a day since 1970 in the Gregorian calendar, with years that begin in March.
  local days = math.floor(here / 86400) + 719468
  local era = math.floor(days / 146097)
  local of_era = days - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524)
    - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  local next_month = month == 11 and 365 + (((year + 1) % 4 == 0 and ((year + 1) % 100 ~= 0 or (year + 1) % 400 == 0)) and 1 or 0)
    or math.floor((153 * (month + 1) + 2) / 5)
  local left = (next_month - of_year) * 86400 - here % 86400
  return (era * 400 + year) * 12 + month, left
end

-- `first` is where the account's arguments begin, less one.
local function charge(key, first)
  local kind, limit, step, offset = ARGV[first + 1], tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3]), tonumber(ARGV[first + 4])
  local need, least, ahead = tonumber(ARGV[first + 5]), tonumber(ARGV[first + 6]), tonumber(ARGV[first + 7])
  local owed, known, gateways = tonumber(ARGV[first + 8]), tonumber(ARGV[first + 9]), tonumber(ARGV[first + 10])
  local old = redis.call('GET', key)
  local state = {}
  if old then
    for word in string.gmatch(old, '%S+') do state[#state + 1] = tonumber(word) end
  end

  local left, spend, write, valid, keep
  if kind == 'rate' then
    local full = state[1] or 0
    left = function() return math.floor(limit - math.max(0, full - now) / step + 0.000001) end
    spend = function(units)
      local latest = math.max(now + 2 * limit * step, full)
      full = math.min(math.max(full, now) + units * step, latest)
    end
    write = function() return string.format('%.17g', full) end
    valid = function() return limit * step / 1000 end
    keep = function() return (full - now) / 1000 end
  elseif kind == 'window' then
    local number = math.floor(now / step)
    local at, before, within = state[1] or number, state[2] or 0, state[3] or 0
    if at < number then
      before, within = at == number - 1 and within or 0, 0
      at = number
    end
    local rest = step - now % step
    left = function() return limit - within - math.ceil(before * rest / step) end
    spend = function(units) within = math.min(within + units, 2 * limit) end
    write = function() return string.format('%.17g %.17g %.17g', at, before, within) end
    valid = function() return rest / 1000 end
    keep = function() return 2 * step / 1000 end
  else
    local number, rest = period(step, offset)
    local at, spent = state[1] or number, state[2] or 0
    -- A clock that was set back resets nothing.
    if at < number then at, spent = number, 0 end
    left = function() return limit - spent end
    spend = function(units) spent = math.min(spent + units, 2 * limit) end
    write = function() return string.format('%.17g %.17g', at, spent) end
    valid = function() return rest * 1000 - micros / 1000 end
    keep = valid
  end

  -- Whoever has lost his memory believes the first who asks.
  if old then spend(owed) else spend(math.max(limit - known, owed)) end
  local room = math.max(0, left())
  local granted = 0
  if room >= need then
    granted = need + math.max(0, math.min(ahead, math.floor((room - need) / (2 * gateways))))
  elseif room >= least then
    granted = room
  end
  spend(granted)
  redis.call('SET', key, write(), 'PX', string.format('%.0f', math.max(1000, math.ceil(keep()) + 1000)))
  return { granted, room - granted, math.floor(valid()) }
end

local answers = {}
for place = 1, #KEYS do answers[place] = charge(KEYS[place], 10 * (place - 1)) end
return answers
