# stage.sh: for run.sh and long.sh, which read it: how a folder is configured, and what the tests in it say of themselves.
# shellcheck shell=bash disable=SC2034  # who reads it uses what is set

# Verbose, as Criterion otherwise keeps silent about the tests that it skips.
export CRITERION_VERBOSITY_LEVEL=1

# Configures a build folder. How it was built before does not stay; its generator and its compiler do.
configure() { # BUILD OPTIONS...
    cmake -S . -B "$1" -U POLARIS_SANITIZE -U POLARIS_COVERAGE -U POLARIS_FUZZ -U POLARIS_BUILD_ID \
        -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON -DPOLARIS_WERROR=ON "${@:2}"
}

# Sums what Criterion's programs say of their tests: programs, passed, failed, skipped.
count_criterion() { # LastTest.log, or what one program said
    awk '
        { gsub(/\033\[[0-9;]*m/, "") }
        /^[0-9]+\/[0-9]+ Testing: / { counted = 0 }
        /Synthesis: Tested: / {
            sub(/.*Synthesis: /, "")
            gsub(/[A-Za-z:|]+/, " ")
            split($0, n, " ")
            passed += n[2]
            failed += n[3] + n[4]
            programs += !counted
            counted = 1
        }
        /^\[SKIP\] / { skipped++ }
        END { printf "%d %d %d %d\n", programs, passed, failed, skipped }
    ' "$1"
}

# Sets tests (programs and scripts), passed, failed and skipped, of a run of ctest that passed.
count_tests() { # BUILD, what ctest said
    local programs others_skipped
    tests=$(sed -n 's/.*tests passed, 0 tests failed out of \([0-9]*\)$/\1/p' "$2")
    read -r programs passed failed skipped < <(count_criterion "$1/Testing/Temporary/LastTest.log")
    # A program or script that is not Criterion's is one test.
    others_skipped=$(grep -c '\*\*\*Skipped' "$2" || true)
    passed=$((passed + tests - programs - others_skipped)) skipped=$((skipped + others_skipped))
}
