#!/usr/bin/env bash
# Token endpoint: refreshes a second (rotation, ES256 ID token), the city's on disk with fsync,
# beside npm's oidc-provider in memory, with the same load of wrk, one after the other.
#   benches/tokens.sh [SECONDS] [CONNECTIONS]     needs wrk, node, python3 and a release build
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
connections=${2:-64}
program=${JICHENG:-${CARGO_TARGET_DIR:-target}/release/jicheng}
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
port() { python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])'; }
load() { # name port path
  echo "== $1"
  THREADS=1 TOKENS="$folder/tokens" BASIC="$(cat "$folder/basic")" TOKEN_PATH="$3" \
    wrk -t1 -c"$connections" -d"$seconds"s --latency -s benches/tokens/refresh.lua "http://127.0.0.1:$2" 2>"$folder/errors" |
    grep -E '50%|99%|Requests/sec|requests in|Non-2xx' || true
  sort "$folder/errors" | uniq -c | sort -rn | head -3
}

http=$(port)
JICHENG_LOG=error "$program" --data "$folder/data" --set http="127.0.0.1:$http" --set hj212="127.0.0.1:$(port)" \
  serve --demo >"$folder/out" 2>&1 &
for _ in $(seq 120); do curl -fsS "http://127.0.0.1:$http/ready" >/dev/null 2>&1 && break; sleep 0.5; done
python3 benches/tokens/prepare.py "http://127.0.0.1:$http" "$folder/data/demo-accounts.json" $((connections * 2)) "$folder/tokens" >"$folder/basic"
load "jicheng (SQLite, fsync)" "$http" /oauth2/token
kill %1; wait %1 2>/dev/null || true

peer=${PEER:-$folder/peer}
if [ ! -d "$peer/node_modules/oidc-provider" ]; then
  mkdir -p "$peer"
  (cd "$peer" && npm init -y >/dev/null && npm i --silent --no-audit --no-fund oidc-provider@9 jose@6)
fi
cp benches/tokens/peer.mjs "$peer/"
http=$(port)
rm -f "$folder/tokens"
NODE_ENV=production node "$peer/peer.mjs" "$http" $((connections * 2)) "$folder/tokens" >"$folder/basic" 2>"$folder/peer.log" &
for _ in $(seq 60); do [ -s "$folder/basic" ] && break; sleep 0.5; done
load "oidc-provider (npm, in memory)" "$http" /token
