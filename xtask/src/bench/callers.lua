-- wrk: each request carries the next line of CALLERS, a header field. With ONCE each line is used once, and that was all.
local requests, at, once = {}, 0, os.getenv("ONCE")
function init()
  for line in io.lines(os.getenv("CALLERS")) do
    local name, value = line:match("^(.-): (.*)$")
    requests[#requests + 1] = wrk.format("GET", nil, { [name] = value })
  end
end
function request()
  at = at + 1
  if at > #requests then
    if once then wrk.thread:stop() end
    at = 1
  end
  return requests[at]
end
