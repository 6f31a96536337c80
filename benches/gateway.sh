#!/usr/bin/env bash
# HJ 212 over TCP at full load: the captured day looped over many simulated stations, every value
# committed with fsync. Prints values a second from the first byte to the last commit.
# benches/gateway.sh [COPIES=14] [CONNECTIONS=8]
set -euo pipefail
. "$(dirname "$0")/../bin/lib.sh"
copies=${1:-14} connections=${2:-8}
corpus=${JICHENG_CORPORA:-../shared/corpora}/hj212-shijiazhuang
[ -d "$corpus" ] || fail "the corpus hj212-shijiazhuang is not here; set JICHENG_CORPORA"
program=$CARGO_TARGET_DIR/release/jicheng
folder=$(mktemp -d) http=127.0.0.1:$(free_port) gateway=127.0.0.1:$(free_port)
"$program" --data "$folder/data" --set http="$http" --set hj212="$gateway" --set hj212_frames_per_s=0 --set log=warn serve >"$folder/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
until curl -fsS "http://$http/ready" >/dev/null 2>&1; do sleep 0.1; done
cpu() { awk -v hz="$(getconf CLK_TCK)" '{print ($14+$15)/hz}' "/proc/$server/stat"; }
before=$(cpu)
"$program" --set log=warn replay hj212 "$corpus"/*.gz --to "$gateway" --copies "$copies" --connections "$connections" --report "$folder/report.json"
after=$(cpu)
values=$(curl -fsS "http://$http/metrics" | awk '/^jicheng_values_total/ {print $2}')
peak=$(awk '/VmHWM/ {print int($2/1024)}' "/proc/$server/status")
seconds=$(node -p "require('$folder/report.json').elapsed_s")
node -p "'values stored ' + $values + ', ' + Math.round($values/$seconds) + ' values/s, gateway CPU ' + ($after-$before).toFixed(1) + ' s, peak memory $peak MB'"
