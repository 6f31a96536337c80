#!/usr/bin/env bash
# Twenty times kill -9 in the middle of ingest at full load. benches/kill.sh [KILLS=20]
set -euo pipefail
. "$(dirname "$0")/../bin/lib.sh"
JICHENG_KILLS=${1:-20} cargo nextest run -p jicheng --success-output final nothing_acknowledged_is_lost_or_doubled
