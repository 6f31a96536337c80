#!/usr/bin/env bash
# Decisions of a table with 50 rules and FEEL conditions a second, beside the bare library and npm's
# engines on the same table and condition, one after the other.
#   benches/decisions.sh     needs node and cargo
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cargo run --quiet --release -p decisions --example decide -- "$folder"
peer=${PEER:-$folder/peer}
if [ ! -d "$peer/node_modules/feelin" ]; then
  mkdir -p "$peer"
  (cd "$peer" && npm init -y >/dev/null && npm i --silent --no-audit --no-fund feelin@8 @hbtgmbh/dmn-eval-js@1)
fi
cp benches/decisions/peer.mjs "$peer/"
node "$peer/peer.mjs" "$folder"
