#!/usr/bin/env bash
# PostgreSQL's own point-in-time recovery with sealed logs, on a real server in a temporary folder: a city on PostgreSQL, a
# base, changes before and after a moment, the server destroyed, restored to the moment. JICHENG=path/to/program.
set -euo pipefail
jicheng=$(realpath "${JICHENG:-target/debug/jicheng}")
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
work=$(mktemp -d) && chmod 777 "$work"
user=postgres
run() { if [ "$(id -u)" = 0 ]; then runuser -u "$user" -- "$@"; else "$@"; fi; }
stop() { [ -n "${server:-}" ] && kill -9 "$server" 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT
start() { # folder
  run "$bin/postgres" -D "$1" -k "$work" -p 54329 -c listen_addresses= >>"$work/log" 2>&1 &
  for _ in $(seq 100); do run "$bin/psql" -h "$work" -p 54329 -Atc 'select pg_is_in_recovery()' postgres 2>/dev/null | grep -q f && break; sleep 0.2; done
  server=$(head -1 "$1/postmaster.pid")
}
sql() { run "$bin/psql" -h "$work" -p 54329 -Atc "$1" "${2:-jicheng}"; }
run mkdir "$work/wal" "$work/city"
run "$bin/initdb" -A trust -E UTF8 --locale=C -D "$work/db" >/dev/null
key="--set master_key_file=$work/city/master.key"
sealed="$jicheng --data $work/city $key backup"
run tee -a "$work/db/postgresql.conf" >/dev/null <<CONF
archive_mode = on
archive_timeout = 2
archive_command = '$sealed seal --keys $work/keys.json %p $work/wal/%f'
CONF
# The keys first: without them the first log cannot be sealed; PostgreSQL tries again.
start "$work/db"
sql "create database jicheng template template0 encoding 'UTF8' locale 'C'" postgres >/dev/null
city() { run "$jicheng" --data "$work/city" --set "store=postgres://$user@%2F${work#/}/jicheng?host=$work&port=54329" $key "$@"; }
city backup keys "$work/keys.json"
city account token before --roles operator >/dev/null
run "$bin/pg_basebackup" -h "$work" -p 54329 -D "$work/base" -Ft -X none -c fast
run $sealed seal --keys "$work/keys.json" "$work/base/base.tar" "$work/base.sealed"
rm -rf "$work/base"
city account token kept --roles operator >/dev/null
sleep 1; moment=$(sql 'select now()'); sleep 1
city account token late --roles operator >/dev/null
sql 'select pg_switch_wal()' >/dev/null; sleep 4
echo "moment $moment; sealed logs: $(ls "$work/wal" | wc -l)"
grep -aq before "$work/base.sealed" "$work"/wal/* && { echo "something is in the clear"; exit 1; }
# The disaster.
kill -9 "$server"; sleep 1; rm -rf "$work/db"
run mkdir -m 700 "$work/db"
run $sealed unseal --keys "$work/keys.json" "$work/base.sealed" "$work/base.tar"
run tar -xf "$work/base.tar" -C "$work/db"
run touch "$work/db/recovery.signal"
run tee -a "$work/db/postgresql.auto.conf" >/dev/null <<CONF
restore_command = '$sealed unseal --keys $work/keys.json $work/wal/%f %p'
recovery_target_time = '$moment'
recovery_target_action = 'promote'
CONF
start "$work/db"
has() { sql "select count(*) from audit where details like '%$1%' or subject like '%$1%'"; }
echo "before: $(has before), kept: $(has kept), late: $(has late)"
[ "$(has before)" -ge 1 ] && [ "$(has kept)" -ge 1 ] && [ "$(has late)" = 0 ]
city audit verify
echo "restored to the moment: what came before is there, what came after is not"
