#!/bin/bash
# Installs what the tests run besides Node: from Debian's packages a NATS server, a browser, promtool, openssl (test
# certificates) and Python; from PyPI InfluxDB's client and what notebooks read columns with, into a virtual environment outside the repository; from npm the other
# versions of Node that the server must run on. A quick no-op
# when all is there. What it cannot install it names, and fails: a test run that silently skipped its real counterparts
# would prove nothing.
set -euo pipefail

# Debian keeps nats-server in sbin on some releases, which a user's PATH may lack.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

# command:package
tools=(nats-server:nats-server chromium:chromium promtool:prometheus prometheus:prometheus openssl:openssl python3:python3)
# test/support/python.ts looks for it at the same place.
venv="${CCMS_TEST_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/ccms-test-venv}"
influx_client=influxdb-client==1.50.0
# test/integration/columns.test.ts reads answers in columns with them.
readers="pyarrow==26.0.1 polars==2.1.0 pandas==3.1.1 duckdb==2.0.1 requests==2.34.2"
# Of test/promql/clients.test.ts, without what it only draws with.
prometheus_client="prometheus-api-client==0.7.2 dateparser==1.5.0 pytz regex tzlocal"

fail() {
  echo "test-tools: $*" >&2
  exit 1
}

# apt_install PACKAGE...
apt_install() {
  # The prometheus and nats-server packages would start their services; the tests start their own on free ports.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  # The package lists may be absent or older than the archive: refresh them only when the first try fails.
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@")
  "${install[@]}" >/dev/null 2>&1 && return
  apt-get update -qq
  "${install[@]}" >/dev/null
}

install_tools() {
  local missing=() packages=() tool list
  for tool in "${tools[@]}"; do
    command -v "${tool%%:*}" >/dev/null && continue
    missing+=("${tool%%:*} (package ${tool#*:})")
    packages+=("${tool#*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  list=$(printf ', %s' "${missing[@]}")
  list=${list:2}
  if [ "$(id -u)" -ne 0 ]; then
    fail "the tests need $list; install with: sudo apt-get install --no-install-recommends ${packages[*]}"
  fi
  command -v apt-get >/dev/null || fail "the tests need $list, and this system has no apt-get to install them with"
  apt_install "${packages[@]}"
  for tool in "${tools[@]}"; do
    command -v "${tool%%:*}" >/dev/null || fail "package ${tool#*:} is installed but gives no command ${tool%%:*}"
  done
}

# Debian ships Python without what makes virtual environments with pip in them.
make_venv() {
  rm -rf "$venv"
  python3 -m venv "$venv" >/dev/null 2>&1 && return
  rm -rf "$venv"
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && apt_install python3-venv
  python3 -m venv "$venv" >/dev/null || fail "python3 cannot make a virtual environment in $venv (package python3-venv)"
}

install_influx_client() {
  "$venv/bin/python" -c "import influxdb_client" 2>/dev/null && return
  make_venv
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$influx_client" ||
    fail "pip cannot install $influx_client from PyPI into $venv; the tests of InfluxDB's Python client need it"
}

install_readers() {
  "$venv/bin/python" -c "import pyarrow, polars, pandas, duckdb, requests" 2>/dev/null && return
  # shellcheck disable=SC2086 # a list
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check $readers ||
    fail "pip cannot install $readers from PyPI into $venv; the tests of answers in columns need them"
}

install_prometheus_client() {
  "$venv/bin/python" -c "import prometheus_api_client" 2>/dev/null && return
  # shellcheck disable=SC2086 # a list
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps $prometheus_client ||
    fail "pip cannot install $prometheus_client from PyPI into $venv; the tests of Prometheus's clients need it"
}

install_tools
install_influx_client
install_readers
install_prometheus_client
bash "$(dirname "$0")/node-binary.sh" >/dev/null || fail "the tests need the versions of Node that scripts/node-binary.sh names"
