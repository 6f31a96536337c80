-- wrk: refreshes tokens at a token endpoint as fast as it answers. Every connection takes a refresh
-- token and gives back the next one, so each is used once, as rotation demands.
-- Environment: TOKENS (file, one a line), BASIC (credentials in base64), TOKEN_PATH, THREADS.
local threads = 0

function setup(thread)
  thread:set("index", threads)
  threads = threads + 1
end

function init(_)
  pool, head, tail = {}, 1, 0
  local share, n = tonumber(os.getenv("THREADS") or "1"), 0
  for line in io.lines(os.getenv("TOKENS")) do
    if n % share == index then
      tail = tail + 1
      pool[tail] = line
    end
    n = n + 1
  end
  headers = { ["content-type"] = "application/x-www-form-urlencoded", ["authorization"] = "Basic " .. os.getenv("BASIC") }
  path = os.getenv("TOKEN_PATH")
end

function request()
  local token = pool[head] or "none"
  if pool[head] then
    pool[head] = nil
    head = head + 1
  end
  return wrk.format("POST", path, headers, "grant_type=refresh_token&refresh_token=" .. token)
end

function response(status, _, body)
  local following = string.match(body, '"refresh_token":"([^"]+)"')
  if status == 200 and following then
    tail = tail + 1
    pool[tail] = following
  else
    io.stderr:write(status .. " " .. body .. "\n")
  end
end
