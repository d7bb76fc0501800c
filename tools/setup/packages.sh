# SPDX-License-Identifier: Apache-2.0
# Debian packages and the virtual environment, only what is missing.

missing_packages() {
  local name
  for name in $(names_in "$@"); do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$name"
  done
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

install_packages() {
  if ! apt update || ! apt install -y --no-install-recommends "$@"; then
    echo "Debian packages could not be installed: $*"
    echo "is there a network, and a mirror in /etc/apt? they can be installed by hand, then run this again"
    return 1
  fi
}

# ensure_packages LIST...: files with names of Debian packages.
ensure_packages() {
  command -v dpkg-query >/dev/null || {
    say "this is no Debian: the libraries in third_party/debian.txt must be there already"
    return 0
  }
  local missing
  missing=$(missing_packages "$@")
  [[ -z $missing ]] && return 0
  ((EUID == 0)) || command -v sudo >/dev/null ||
    fail "these Debian packages are missing, and there is no sudo to install them: $missing"
  say "installing Debian packages: $missing"
  # shellcheck disable=SC2086
  step "debian packages" install_packages $missing
}

# An interpreter that can make environments; `python3 -m venv` alone exists without ensurepip on Debian.
base_python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

# Is each `name==version` of the lists in the environment? A local version (2.13.0+cpu) is that version.
environment_has() {
  [[ -x $root/.venv/bin/python ]] && "$root/.venv/bin/python" - "$@" <<'PYTHON'
import importlib.metadata, sys

for path in sys.argv[1:]:
    for line in open(path):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, wanted = line.split("==")
        try:
            found = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            sys.exit(1)
        if found != wanted:
            sys.exit(1)
PYTHON
}

install_wheels() {
  local options=() list
  for list in "$@"; do options+=(-r "$list"); done
  if ! "$root/.venv/bin/python" -m pip install --disable-pip-version-check "${options[@]}"; then
    echo "Python packages could not be installed into $root/.venv"
    echo "is there a network? pip's own configuration (pip config list) says where wheels come from"
    return 1
  fi
}

# ensure_python LIST...: .venv with every wheel that the files name.
ensure_python() {
  environment_has "$@" && return 0
  if [[ ! -x $root/.venv/bin/python ]]; then
    local python
    python=$(base_python) || fail "no python3 that can make a virtual environment; install python3-venv"
    step "python environment" "$python" -m venv "$root/.venv" || return 1
  fi
  step "python packages" install_wheels "$@"
}
