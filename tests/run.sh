#!/usr/bin/env bash
# run.sh: installs what is missing, builds, and passes all tests: as a release, under the address and undefined
# behaviour sanitizers, and the race tests under the thread sanitizer. `run.sh fast`: the release only. `run.sh long`: all of
# it, and then what takes hours (long.sh).
#
# When nothing changed since all of them passed, it says so and is done; `run.sh again` runs them all the same.
set -euo pipefail
umask 022 # the loader takes no plugin that others can write to
cd "$(dirname "$0")/.."
. tests/stage.sh

case ${1:-all} in
all | again | long) stages=(release address thread) ;;
fast) stages=(release) ;;
*)
    echo "usage: tests/run.sh [all|again|fast|long]" >&2
    exit 2
    ;;
esac

[ "${1:-all}" = long ] && packages=long || packages=test
.ci/setup.sh "$packages"

# What the outcome depends on: every file of the project, and the packages that it is built with.
fingerprint() {
    {
        git ls-files -z --cached --others --exclude-standard | sort -z | xargs -0 sha256sum 2>/dev/null || true
        dpkg-query -W -f '${Package} ${Version}\n'
    } | sha256sum
}
stamp=build/.passed
# Taken before the tests run: what is edited meanwhile was not tested.
state=$(fingerprint)
if [ "${1:-all}" = all ] && [ -z "${CI:-}" ] && [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$state" ]; then
    echo "Nothing changed since all tests passed, $(date -r "$stamp" '+%F %T'); to run them all the same: tests/run.sh again"
    tail -n +2 "$stamp"
    exit 0
fi
rm -f "$stamp"

jobs=$(nproc)
[ "$jobs" -le 8 ] || jobs=8
# What a sanitizer finds must end the program; the exit code alone is not trusted, tests/CMakeLists.txt reads the report.
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
export CTEST_OUTPUT_ON_FAILURE=1 CLICOLOR=0 NO_COLOR=1
# A build folder that was configured with another generator or compiler keeps them.
generator=()
if command -v ninja >/dev/null; then
    generator=(-G Ninja)
fi

# Says what failed: the log of the step, without what passed.
give_up() { # stage, step, log
    echo "$1: $2 failed" >&2
    grep -vE '^ +Start +[0-9]+: |^ *[0-9]+/[0-9]+ Test +#.* Passed |^\[[0-9]+/[0-9]+\] |^\[(RUN |PASS)\] ' "$3" >&2 || true
    exit 1
}

all_tests=0 all_passed=0 all_failed=0 all_skipped=0
started=$SECONDS
for stage in "${stages[@]}"; do
    case $stage in
    release) build=build options=() select=() title="release" ;;
    address) build=build-asan options=(-DPOLARIS_SANITIZE=address) select=() title="address+undefined" ;;
    thread) build=build-tsan options=(-DPOLARIS_SANITIZE=thread) select=(-L stress) title="thread" ;;
    esac
    mkdir -p "$build"
    log=$build/run.log

    began=$SECONDS
    [ -f "$build/CMakeCache.txt" ] && fresh=() || fresh=("${generator[@]}")
    configure "$build" "${fresh[@]}" "${options[@]}" >"$log" 2>&1 ||
        give_up "$title" "configuring" "$log"
    cmake --build "$build" -j "$jobs" >"$log" 2>&1 || give_up "$title" "building" "$log"
    built=$((SECONDS - began))

    began=$SECONDS
    ctest --test-dir "$build" -j 2 --no-tests=error "${select[@]}" >"$log" 2>&1 || give_up "$title" "testing" "$log"
    took=$((SECONDS - began))

    count_tests "$build" "$log"
    printf '%-18s %3d programs, %4d tests passed   built in %d s, ran in %d s\n' "$title" "$tests" "$passed" \
        "$built" "$took"
    # Said by name, as a test that silently does not run guards nothing.
    grep -E '\*\*\*Skipped|Not Run' "$log" || true
    if [ "$failed" -gt 0 ]; then
        grep -E 'Synthesis|FAIL|CRASH' "$build/Testing/Temporary/LastTest.log" >&2
        echo "$title: ctest passed, but $failed Criterion tests did not" >&2
        exit 1
    fi
    all_tests=$((all_tests + tests))
    all_passed=$((all_passed + passed)) all_failed=$((all_failed + failed)) all_skipped=$((all_skipped + skipped))
done

summary() {
    echo
    echo "100% tests passed, 0 tests failed out of $all_tests"
    echo
    echo "Total Test time (real) = $((SECONDS - started)) sec"
    if [ "$all_skipped" -gt 0 ]; then
        echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
    else
        echo "$all_passed passed, $all_failed failed"
    fi
}
summary
if [ ${#stages[@]} -eq 3 ] && git rev-parse --git-dir >/dev/null 2>&1; then
    { echo "$state" && summary; } >"$stamp"
fi
if [ "${1:-all}" = long ]; then
    tests/long.sh
fi
