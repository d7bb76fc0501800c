# SPDX-License-Identifier: Apache-2.0
# Configure, build and install a preset.

# Equal sources in two folders share ccache's entries; precompiled headers need these two liberties.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros

# LibTorch's headers take up to 2 GiB a compiler.
build_jobs() {
  local gigabytes
  gigabytes=$(awk '/^MemAvailable/ { print int($2 / 1048576 / 2) }' /proc/meminfo)
  ((gigabytes >= 1)) || gigabytes=1
  ((gigabytes < jobs)) && echo "$gigabytes" || echo "$jobs"
}

configure() {
  local preset=$1
  shift
  (cd "$root" && cmake --preset "$preset" "$@")
}

build() {
  local preset=$1
  shift
  nice cmake --build "$root/build/$preset" -j "$(build_jobs)" "$@"
}

install_into() { cmake --install "$root/build/$1" --prefix "$2"; }
