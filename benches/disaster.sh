#!/usr/bin/env bash
# Disaster and restore: the city under load is killed with -9, its data folder removed; restored to a minute before and to
# the newest. benches/disaster.sh [SECONDS=90]
set -euo pipefail
. "$(dirname "$0")/../bin/lib.sh"
JICHENG_DISASTER_S=${1:-90} cargo nextest run -p jicheng --success-output final after_a_disaster
