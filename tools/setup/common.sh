# SPDX-License-Identifier: Apache-2.0
# Steps with their seconds, and how to fail: sourced by tools/quickstart and tools/test.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
logs=$root/build/logs
jobs=${PARIBUS_JOBS:-$(nproc)}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step NAME COMMAND...: one line with the seconds; what the command says goes to build/logs/NAME.log, and its end is shown
# when it fails. Returns the command's status.
step() {
  local name=$1 started=$SECONDS status=0
  shift
  mkdir -p "$logs"
  printf '%-34s' "$name"
  local log=$logs/${name// /-}.log
  ( set -e; "$@" ) >"$log" 2>&1 || status=$?
  if ((status == 0)); then
    printf ' %5d s\n' $((SECONDS - started))
  else
    printf ' %5d s  FAILED\n' $((SECONDS - started))
    tail -n 40 "$log" >&2
    printf 'the whole log: %s\n' "$log" >&2
  fi
  return "$status"
}

# Names in a list file, without comments.
names_in() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"; }
