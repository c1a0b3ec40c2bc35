#!/bin/bash
# Prints the path of a Node binary of the given major version, or of each, a line each, fetched from npm when it is first
# asked for:
#     scripts/node-binary.sh [MAJOR...]
# The versions that the project is tested with, and the one that its packages bring along (the first), stand here.
set -euo pipefail

versions=(24.21.0 22.23.3 20.20.2)
cache="${CCMS_NODE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ccms-node}"

fail() {
  echo "node-binary: $*" >&2
  exit 1
}

case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) fail "npm has no Node for $(uname -m)" ;;
esac

version_of() {
  local version
  for version in "${versions[@]}"; do
    [ "${version%%.*}" = "$1" ] && echo "$version" && return
  done
  fail "unknown version $1: expected one of ${versions[*]%%.*}"
}

# Fetches to a directory of its own first: several may ask at once.
fetch() {
  local version=$1 target=$2 work
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/fetch-XXXXXX")
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$work'" EXIT
  (cd "$work" && npm pack --silent "node-linux-$arch@$version" >/dev/null && tar -xzf ./*.tgz --strip-components=1) ||
    fail "npm cannot fetch node-linux-$arch@$version"
  [ "$("$work/bin/node" -v)" = "v$version" ] || fail "node-linux-$arch@$version is not Node $version"
  rm -f "$work"/*.tgz
  mv -T "$work" "$target" 2>/dev/null || [ -x "$target/bin/node" ]
}

[ $# -gt 0 ] || set -- "${versions[@]%%.*}"
for major in "$@"; do
  version=$(version_of "$major")
  [ -x "$cache/$version/bin/node" ] || fetch "$version" "$cache/$version"
  echo "$cache/$version/bin/node"
done
