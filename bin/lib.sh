# Shared by bin/demo and bin/test: where things are built, and what must be installed.
# Sourced, not run. Everything is found by name; nothing is downloaded from anywhere but the
# ordinary package registries of Debian, Rust and Node.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One build folder outside the checkout, so that a fresh clone builds on what is there.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/jicheng/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# install COMMAND PACKAGE…: installs Debian packages when the command is missing.
install() {
  command -v "$1" >/dev/null 2>&1 || packages "${@:2}"
}

# packages NAME…: installs Debian packages.
packages() {
  local as=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "请以 root 安装 / install as root: $*"
    as=(sudo)
  fi
  say "安装 / installing: $*"
  if [ -z "${APT_UPDATED:-}" ]; then
    "${as[@]}" apt-get update -qq
    APT_UPDATED=1
  fi
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_builders() {
  command -v cargo >/dev/null 2>&1 || fail "缺少 Rust（cargo），需 1.95 或更新 / Rust (cargo) 1.95 or newer is missing"
  install cc build-essential
  command -v node >/dev/null 2>&1 || install node nodejs npm
  command -v npm >/dev/null 2>&1 || install npm npm
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' ||
    fail "需要 Node.js 20 或更新 / Node.js 20 or newer is needed"
}

# The web pages, built again only when something they are made of is newer.
build_web() {
  if [ ! -d web/node_modules ] || [ web/package-lock.json -nt web/node_modules/.stamp ]; then
    say "安装网页依赖 / installing the web's packages"
    (cd web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.stamp)
  fi
  if [ ! -f web/dist/index.html ] ||
     [ -n "$(find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -newer web/dist/index.html -print -quit)" ]; then
    say "构建网页 / building the web pages"
    (cd web && npm run build --silent)
  fi
}

# A free port outside the range the system hands out by itself, where there is room: one of these is
# not taken a moment later by somebody who asked for any.
free_port() {
  local low=32768 high=60999 range
  read -r low high 2>/dev/null < /proc/sys/net/ipv4/ip_local_port_range || true
  if [ "$low" -gt 12000 ]; then range=10000-$((low - 1))
  elif [ "$high" -lt 64000 ]; then range=$((high + 1))-65535
  else range=10000-65535; fi
  while :; do
    port=$(shuf -i "$range" -n 1)
    (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}
