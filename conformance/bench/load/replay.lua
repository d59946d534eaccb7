-- Sends requests that were built before, in turn, from memory: the cost per request is one table look-up.
-- Arguments: file of requests, file with a content or "-", text that marks a refusal or "-", and after how
-- many answers to stop (0: at the end of the time).
-- The file: per request the length of what comes before the content, that, the length of what comes
-- after it, that; lengths are 4 bytes, little endian.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local function all_of(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function length_at(text, at)
  local a, b, c, d = text:byte(at, at + 3)
  return a + 256 * (b + 256 * (c + 256 * d))
end

function init(arguments)
  local text = all_of(arguments[1])
  local content = arguments[2] ~= "-" and all_of(arguments[2]) or nil
  local refusal = arguments[3] ~= "-" and arguments[3] or nil
  local stop_after = tonumber(arguments[4])
  local before, after, count, at = {}, {}, 0, 1
  while at <= #text do
    count = count + 1
    local length = length_at(text, at)
    before[count] = text:sub(at + 4, at + 3 + length)
    at = at + 4 + length
    length = length_at(text, at)
    after[count] = text:sub(at + 4, at + 3 + length)
    at = at + 4 + length
  end
  -- wrk asks once, to look at the request, before it sends any: that one must not be lost.
  local turn = -1
  refused, answers, bad = 0, 0, 0
  if content then
    request = function()
      turn = turn < 0 and 0 or turn % count + 1
      local now = turn == 0 and 1 or turn
      return before[now] .. content .. after[now]
    end
  else
    request = function()
      turn = turn < 0 and 0 or turn % count + 1
      return before[turn == 0 and 1 or turn]
    end
  end
  -- Reading answers in Lua costs time, so only where it is needed.
  if refusal or stop_after > 0 then
    response = function(status, headers, body)
      answers = answers + 1
      if refusal and body and body:find(refusal, 1, true) then refused = refused + 1 end
      if status > 399 then bad = bad + 1 end
      if answers == stop_after then
        -- wrk itself would wait for the end of its time.
        io.write(string.format("BENCH requests=%d duration_us=1 status=%d refused=%d\n", answers, bad, refused))
        io.flush()
        os.exit(0)
      end
    end
  end
end

function done(summary, latency, requests)
  local refused = 0
  for _, thread in ipairs(threads) do refused = refused + (thread:get("refused") or 0) end
  local errors = summary.errors
  io.write(string.format(
    "BENCH requests=%d duration_us=%d connect=%d read=%d write=%d status=%d timeout=%d refused=%d p50_us=%d p99_us=%d\n",
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.status,
    errors.timeout, refused, latency:percentile(50), latency:percentile(99)))
end
