# SPDX-License-Identifier: Apache-2.0
# The stages of tools/test and how they are counted. A check is one test; a runner's tests are counted one by one from
# its JUnit file.

passed=0 failed=0 skipped=0
failures=()

# stage NAME COMMAND...: a check that counts as one.
stage() {
  if step "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$1")
    return 1
  fi
}

# The number in ATTRIBUTE of the first test suite of a JUnit file; 0 if it has none.
junit() {
  local value
  value=$(tr '\n\t' '  ' <"$1" | grep -o '<testsuite [^>]*' | head -n 1 | grep -o " $2=\"[0-9]*\"" | tr -dc 0-9) || true
  echo "${value:-0}"
}

# count NAME FILE STATUS: adds a runner's tests. A runner that failed without a failed test died: one failure.
count() {
  local name=$1 file=$2 status=$3 all=0 bad=0 left=0
  if [[ -s $file ]]; then
    all=$(junit "$file" tests)
    bad=$(($(junit "$file" failures) + $(junit "$file" errors)))
    left=$(($(junit "$file" skipped) + $(junit "$file" disabled)))
  fi
  if ((all == 0 || (status != 0 && bad == 0))); then
    bad=$((bad + 1)) all=$((all + 1))
  fi
  passed=$((passed + all - bad - left)) failed=$((failed + bad)) skipped=$((skipped + left))
  if ((bad > 0)); then failures+=("$name"); fi
}

# ctest_stage NAME PRESET [ARGUMENT...]
ctest_stage() {
  local name=$1 preset=$2 status=0
  shift 2
  local file=$logs/${name// /-}.xml
  rm -f "$file"
  step "$name" nice ctest --preset "$preset" -j "$jobs" --output-junit "$file" "$@" || status=$?
  count "$name" "$file" "$status"
}

# pytest_stage NAME FOLDER
pytest_stage() {
  local name=$1 file=$logs/$1.xml status=0
  rm -f "$file"
  step "$name" .venv/bin/python -m pytest "$2" --junitxml "$file" || status=$?
  count "$name" "$file" "$status"
}

cpp_files() { git ls-files --cached --others --exclude-standard '*.h' '*.cpp'; }

check_clang_format() { cpp_files | xargs clang-format --dry-run -Werror; }

fix_format() {
  cpp_files | xargs clang-format -i && .venv/bin/ruff check --fix . && .venv/bin/ruff format .
}

# LibTorch's headers take clang-tidy half a minute a file: it reads what is free of them.
tidy_files() {
  git ls-files --cached --others --exclude-standard 'registry/*.cpp' 'experiments/src/*.cpp' 'tools/paribus/*.cpp' \
    'tools/report/*.cpp' 'tools/system/*.cpp' 'tools/uplink/*.cpp' |
    grep -v '^registry/loader/'
}

# Its own configuration: clang can't read GCC's precompiled headers.
check_clang_tidy() {
  cmake --preset release -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON &&
    tidy_files | xargs -P "$jobs" -n 4 nice .venv/bin/clang-tidy -p build/tidy --quiet --warnings-as-errors='*'
}

closing_line() {
  if [[ ${CI:-} == true ]] && ((skipped > 0)); then
    say "a skipped test is a failure in CI: $skipped"
    failed=$((failed + skipped)) skipped=0
  fi
  if ((failed > 0)); then say "failed stages: ${failures[*]}; logs: build/logs"; fi
  local line="$passed passed, $failed failed"
  if ((skipped > 0)); then line+=", $skipped skipped"; fi
  say "$line"
  ((failed == 0))
}
