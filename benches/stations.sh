#!/usr/bin/env bash
# Many stations connected at once, each sending every 30 seconds and waiting for its
# acknowledgement, which comes after fsync. benches/stations.sh [STATIONS=5000] [SECONDS=120]
set -euo pipefail
. "$(dirname "$0")/../bin/lib.sh"
stations=${1:-5000} seconds=${2:-120}
ulimit -n "$(ulimit -Hn)"
program=$CARGO_TARGET_DIR/release/jicheng
folder=$(mktemp -d) http=127.0.0.1:$(free_port) gateway=127.0.0.1:$(free_port)
"$program" --data "$folder/data" --set http="$http" --set hj212="$gateway" --set log=warn serve >"$folder/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
until curl -fsS "http://$http/ready" >/dev/null 2>&1; do sleep 0.1; done
"$program" --set log=warn simulate hj212 --to "$gateway" --stations "$stations" --interval 30 --seconds "$seconds" 2>/dev/null
awk '/VmHWM|VmRSS/ {printf "%s %d MB\n", $1, $2/1024}' "/proc/$server/status"
