#!/bin/bash
# Builds the image of the Dockerfile and tries it: without Docker and without its registry, so as root anywhere that buildah
# is or can be installed. What stands in for node:24-bookworm-slim is a Debian of debootstrap with Node and npm in it; it is
# kept in the cache. Takes a few minutes the first time. Needs curl.
#     scripts/container-test.sh
set -euo pipefail
cd "$(dirname "$0")/.."

cache="${XDG_CACHE_HOME:-$HOME/.cache}/ccms-container"
base=$cache/bookworm.tar
image=localhost/cc-metric-store
standin=docker.io/library/node:24-bookworm-slim

say() { echo "container-test: $*"; }
fail() {
  say "$*" >&2
  exit 1
}

[ "$(id -u)" -eq 0 ] || fail 'must run as root'
for tool in buildah debootstrap; do
  command -v "$tool" >/dev/null && continue
  command -v apt-get >/dev/null || fail "$tool is missing, and there is no apt-get to install it with"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$tool" >/dev/null || fail "cannot install $tool"
done

work=$(mktemp -d)
pid=
job=
finish() {
  [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  # buildah's own processes hand it on to the server.
  [ -z "$job" ] || kill "$job" 2>/dev/null || true
  build rm --all >/dev/null 2>&1 || true
  build umount --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
# Storage of its own: nothing of the machine's is touched. vfs and chroot need no privileges beyond root's.
build() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
trap finish EXIT

# What npm needs to reach its registry from inside, as on this machine.
volumes=()
[ -e "$HOME/.npmrc" ] && volumes+=(--volume "$HOME/.npmrc:/root/.npmrc:ro")
[ -e "${NODE_EXTRA_CA_CERTS:-}" ] && volumes+=(--volume "$NODE_EXTRA_CA_CERTS:/run/extra-ca.pem:ro")

if [ ! -e "$base" ]; then
  say 'a Debian for the base image'
  mkdir -p "$cache"
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" >"$work/debootstrap.log" ||
    { tail -5 "$work/debootstrap.log" >&2; fail 'debootstrap failed'; }
  tar -C "$work/base" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./dev/*' -cf "$base.new" .
  mv "$base.new" "$base"
  rm -rf "$work/base"
fi

say 'the base image'
container=$(build from scratch)
build add -q "$container" "$base" / >/dev/null
build copy -q "$container" "$(bash scripts/node-binary.sh 24)" /usr/local/bin/node >/dev/null
build copy -q "$container" "$(npm root --global)/npm" /usr/local/lib/node_modules/npm >/dev/null
build run --isolation chroot "$container" -- ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
build config --env NODE_EXTRA_CA_CERTS=/run/extra-ca.pem "$container"
build commit -q --rm "$container" "$standin" >/dev/null

say 'the image of the Dockerfile'
build build --isolation chroot --pull-never "${volumes[@]}" --build-arg GIT_COMMIT=container-test -t "$image" . \
  >"$work/build.log" 2>&1 || { tail -30 "$work/build.log" >&2; fail 'the build failed'; }

container=$(build from --pull-never "$image")
inspect() { build inspect --format "{{$1}}" "$container"; }
expect() { [ "$2" = "$3" ] || fail "$1: expected $3, found $2"; }
expect user "$(inspect .OCIv1.Config.User)" 10001:10001
expect entrypoint "$(inspect .OCIv1.Config.Entrypoint)" '[node /opt/cc-metric-store/dist/command.js]'
expect command "$(inspect .OCIv1.Config.Cmd)" '[-config /etc/cc-metric-store/config.json]'
expect volume "$(inspect .OCIv1.Config.Volumes)" 'map[/var/lib/cc-metric-store:{}]'
expect 'stop signal' "$(inspect .OCIv1.Config.StopSignal)" SIGTERM

# A container that serves, with the image's own entry point, user and directory; the port is the machine's.
port=$(node -e 'const s = require("net").createServer().listen(0, () => { console.log(s.address().port); s.close(); })')
install -d -o 10001 -g 10001 "$work/data"
cat >"$work/config.json" <<EOF
{
  "main": { "addr": "127.0.0.1:$port" },
  "metrics": { "cpu_load": { "frequency": 60, "aggregation": "avg" } },
  "metric-store": { "retention-in-memory": "48h", "memory-cap": 0, "checkpoints": {} }
}
EOF
chmod 755 "$work"
chmod 644 "$work/config.json"
mounts=(--volume "$work/config.json:/etc/cc-metric-store/config.json:ro" --volume "$work/data:/var/lib/cc-metric-store")
run() {
  build run --isolation chroot "${mounts[@]}" "$container" -- node /opt/cc-metric-store/dist/command.js "$@"
}
server_pid() {
  local file
  for file in /proc/[0-9]*/cmdline; do
    tr '\0' ' ' 2>/dev/null <"$file" | grep -q "^[^ ]*node /opt/cc-metric-store/dist/command.js -config" || continue
    basename "$(dirname "$file")"
    return
  done
  fail 'there is no process of the server'
}
start() {
  run -config /etc/cc-metric-store/config.json -loglevel info 2>"$work/server.log" &
  job=$!
  curl --silent --fail --retry 60 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$port/healthz" >/dev/null ||
    { cat "$work/server.log" >&2; fail 'the server did not start'; }
  pid=$(server_pid)
  expect 'user of the process' "$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$pid/status")" '10001 10001 10001'
}
stop() {
  kill -TERM "$pid"
  wait "$job" || fail "the server ended with $?"
  pid=
  job=
}
now=$(date +%s)
query="{\"cluster\": \"alex\", \"from\": $now, \"to\": $((now + 60)), \"queries\": [{\"metric\": \"cpu_load\", \"host\": \"h1\"}]}"
ask() { curl --silent --show-error --fail "http://127.0.0.1:$port/api/query" --data "$query"; }

say 'serving'
start
curl --silent --show-error --fail "http://127.0.0.1:$port/api/write?cluster=alex" --data-binary "cpu_load,hostname=h1 value=4.5 $now"
ask | grep -q '"data":\[4.5\]' || fail "the sample is not there: $(ask)"
if run -config /etc/cc-metric-store/config.json 2>"$work/second.log"; then fail 'a second server started on the same volume'; fi
grep -q 'the checkpoint directory is in use' "$work/second.log" || fail "the second server said: $(cat "$work/second.log")"
stop
say 'again, on the same volume'
start
ask | grep -q '"data":\[4.5\]' || fail "the sample is gone: $(ask)"
stop
run -version | grep -q container-test || fail 'the version does not name the build'
say 'passed'
