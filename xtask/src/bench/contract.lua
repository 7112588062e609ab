-- wrk: each request is the same good one, with the body that is in BODY.
local request_
function init()
  local file = assert(io.open(os.getenv("BODY")))
  local body = file:read("*a")
  file:close()
  local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
  request_ = wrk.format("PUT", os.getenv("TARGET"), headers, body)
end
function request()
  return request_
end
