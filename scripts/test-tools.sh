#!/bin/bash
# Installs what the tests run besides Node, from Debian's packages: a NATS server, a browser, promtool, openssl (test
# certificates). A quick no-op when all is there. Without root it names what is missing and fails: a test run that
# silently skipped its real counterparts would prove nothing.
set -euo pipefail

# command:package
tools=(nats-server:nats-server chromium:chromium promtool:prometheus openssl:openssl)

# Debian keeps nats-server in sbin on some releases, which a user's PATH may lack.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

missing=()
packages=()
for tool in "${tools[@]}"; do
  command -v "${tool%%:*}" >/dev/null && continue
  missing+=("${tool%%:*} (package ${tool#*:})")
  packages+=("${tool#*:}")
done
[ ${#missing[@]} -eq 0 ] && exit 0

list=$(printf ', %s' "${missing[@]}")
list=${list:2}
if [ "$(id -u)" -ne 0 ]; then
  echo "test-tools: the tests need $list; install with: sudo apt-get install --no-install-recommends ${packages[*]}" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null; then
  echo "test-tools: the tests need $list, and this system has no apt-get to install them with" >&2
  exit 1
fi

# The prometheus and nats-server packages would start their services; the tests start their own on free ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; }
# The package lists may be absent or older than the archive: refresh them only when the first try fails.
if ! install 2>/dev/null; then
  apt-get update -qq
  install
fi

for tool in "${tools[@]}"; do
  if ! command -v "${tool%%:*}" >/dev/null; then
    echo "test-tools: package ${tool#*:} is installed but gives no command ${tool%%:*}" >&2
    exit 1
  fi
done
