#!/usr/bin/env bash
# long.sh: what the ordinary tests have no time for, after they passed: the harnesses for many rounds, the fuzzers, the static
# tools, and how much of the code all of it runs. Some hours; each part says its counts, and none hides that another failed.
#
#   ROUNDS=2000   processes killed             TRIALS=5000   trials of power loss, each with several cuts
#   SECONDS_EACH=600   of each fuzzer, and 60 of overload    TORTURE_SECONDS=300   of kills, cuts, faults and swaps, mixed
#   ONLY="kill torture power overload clang races fuzz static coverage"   power: and faults of the disk, and damaged pages;
#                                             clang: all warnings as errors, and its build's tests; races: both compilers'
#                                             thread sanitizers
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. tests/stage.sh
rounds=${ROUNDS:-2000} trials=${TRIALS:-5000} each=${SECONDS_EACH:-600} torture=${TORTURE_SECONDS:-300}
parts=(kill torture power overload clang races fuzz static coverage)
# shellcheck disable=SC2206  # words
only=(${ONLY:-${parts[*]}})
seed=${SEED:-$(date +%s)}
jobs=$(nproc)
failures=0
unrun='\*\*\*Skipped|Not Run|^\[SKIP\] '
# What is misspelt would silently not run.
for name in "${only[@]}"; do
    if [[ " ${parts[*]} " != *" $name "* ]]; then
        echo "ONLY: there is no part '$name', but ${parts[*]}" >&2
        exit 2
    fi
done
if [ ${#only[@]} -eq 0 ]; then
    echo "ONLY names no part" >&2
    exit 2
fi
echo "seed $seed"

# Says how a part went; its words are in build/long-NAME.log.
part() { # NAME COMMAND...
    local name=$1 log=build/long-$1.log began=$SECONDS
    shift
    if "$@" >"$log" 2>&1; then
        printf '%-24s passed in %d s: %s\n' "$name" $((SECONDS - began)) "$(tail -n 1 "$log")"
        grep -E "$unrun" "$log" # by name
    else
        printf '%-24s FAILED after %d s: %s\n' "$name" $((SECONDS - began)) "$log"
        tail -n 20 "$log"
        failures=$((failures + 1))
    fi
}
wants() { [[ " ${only[*]} " == *" $1 "* ]]; }

# Of a program of Criterion one test after the other, as its runner may lose track of them. That passes only if so many were
# run: a filter that nothing matches passes by itself.
criterion() { # TESTS, COMMAND...
    local wanted=$1 said=build/long-criterion.log programs passed failed skipped
    # What a filter leaves out is disabled, for Criterion.
    "${@:2}" -j1 --verbose 2>&1 | tee "$said" | sed '/^\[SKIP\] .*: Test is disabled$/d' || return 1
    read -r programs passed failed skipped < <(count_criterion "$said")
    echo "$passed tests passed, of $wanted"
    [ "$passed" -eq "$wanted" ] && [ "$failed" -eq 0 ] && ! grep -E 'ERROR: [A-Za-z]*Sanitizer|runtime error:' "$said"
}
count_listed() { "$1" --list | grep -c '── '; } # PROGRAM, of Criterion

# Of a build that passes only if all tests of it do; says how many there were, and by name which did not run.
ctest_all() { # BUILD OPTIONS...
    local build=$1 tests passed failed skipped
    ctest --test-dir "$build" --output-on-failure --no-tests=error "${@:2}" 2>&1 | tee "$build/long.log" || return 1
    count_tests "$build" "$build/long.log"
    grep -E '^\[SKIP\] ' "$build/Testing/Temporary/LastTest.log"
    echo "$tests programs, $passed tests passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

fuzzers=(fuzz_wire fuzz_tape fuzz_pattern fuzz_put fuzz_validate fuzz_compatible fuzz_verbs fuzz_file fuzz_cursor fuzz_json)

fuzz() { # NAME
    local found=build-fuzz/tests/fuzz/found/$1 words=json_schema options=(-max_len=4096 -rss_limit_mb=4096)
    mkdir -p "$found"
    # Through the table a call is small and must stay so: its memory is bounded by the configuration, not by what it holds.
    case $1 in
    fuzz_verbs) words=event_store options=(-max_len=2048 -len_control=0 -rss_limit_mb=1024 -malloc_limit_mb=64) ;;
    fuzz_file) words=event_store options=(-max_len=512 -len_control=0 -rss_limit_mb=1024 -malloc_limit_mb=64) ;;
    fuzz_cursor) words=event_store options=(-max_len=512 -rss_limit_mb=1024 -malloc_limit_mb=64) ;;
    fuzz_json) words=json options=(-max_len=4096 -rss_limit_mb=1024 -malloc_limit_mb=64) ;;
    esac
    build-fuzz/bin/"$1" -max_total_time="$each" -seed="$((seed % 1000000))" -timeout=60 "${options[@]}" \
        -print_final_stats=1 -dict="tests/fuzz/$words.dict" "$found" "tests/fuzz/corpus/$1" 2>&1 |
        { grep -E 'ERROR|SUMMARY|stat::number_of_executed_units|Test unit' || true; }
    [ "${PIPESTATUS[0]}" -eq 0 ]
}

build_fuzzers() {
    configure build-fuzz -DCMAKE_C_COMPILER=clang -DPOLARIS_FUZZ=ON -DPOLARIS_WERROR=OFF &&
        cmake --build build-fuzz -j "$jobs" --target "${fuzzers[@]}"
}

test_clang() {
    configure build-clang -DCMAKE_C_COMPILER=clang &&
        cmake --build build-clang -j "$jobs" &&
        ctest_all build-clang -j 2
}

race() { # COMPILER
    configure "build-tsan-$1" -DCMAKE_C_COMPILER="$1" -DPOLARIS_SANITIZE=thread &&
        cmake --build "build-tsan-$1" -j "$jobs" &&
        TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 ctest_all "build-tsan-$1" -L stress
}

measure_coverage() {
    configure build-coverage -DPOLARIS_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug -DPOLARIS_WERROR=OFF &&
        cmake --build build-coverage -j "$jobs" &&
        ctest_all build-coverage -j 2 -LE 'stress|bench|layers' && tests/coverage.sh build-coverage
}

if wants kill; then
    part kill build/bin/kill_rounds --rounds "$rounds" --seed "$seed"
fi
if wants torture; then
    part torture build/bin/polaris-host-sim torture build/bin/polaris-event-store.so \
        --with build/bin/polaris-event-store-b.so --seconds "$torture" --seed "$seed"
fi
if wants power; then
    # Full durability, normal, and syncs that fail.
    part power criterion 4 env POLARIS_POWER_FIRST=1000 POLARIS_POWER_TRIALS="$trials" build/bin/power_test \
        --filter 'power/*a_cut*'
    # The ordinary tests try each without the sanitizers.
    part faults criterion "$(count_listed build-asan/bin/fault_io)" env POLARIS_FAULT_STRIDE=1 build-asan/bin/fault_io
    part damage build/bin/damaged_pages --turns 50 --seed "$seed"
fi
if wants overload; then
    part overload build/bin/overload --seconds 60
fi
if wants clang; then
    part clang test_clang
fi
if wants races; then
    part races-gcc race gcc
    part races-clang race clang
fi
if wants fuzz; then
    part build-fuzzers build_fuzzers
    for name in "${fuzzers[@]}"; do
        part "$name" fuzz "$name"
    done
fi
if wants static; then
    for tool in cppcheck analyzer tidy; do
        part "$tool" tests/static/static.sh "$tool" build
    done
fi
if wants coverage; then
    part coverage measure_coverage
fi
[ "$failures" -eq 0 ]
