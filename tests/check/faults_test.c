/* faults_test.c: each fault that was planted is found by the check that is meant for it, and by no other. */
#include <criterion/criterion.h>

#include "cli.h"
#include "run.h"

TestSuite(faults, .init = cli_enter, .fini = cli_leave, .timeout = 120);

Test(faults, a_tail_that_is_ignored) {
    check_fault("ignores_a_tail", "negotiation,lifecycle", "negotiation/refuses-an-unknown-tail",
                "the entry answered OK, not INVALID", "");
}

Test(faults, a_byte_written_past_an_old_welcome) {
    check_fault("writes_past_the_welcome", "negotiation,lifecycle", "negotiation/writes-no-byte-past-a-welcome-of-1.0",
                "ended by SIGSEGV in the entry", "");
}

Test(faults, a_second_writer_that_is_let_in) {
    check_fault("shares_the_file", "negotiation,lifecycle", "lifecycle/a-second-writer-is-busy",
                "answered OK, not BUSY", "lifecycle/a-second-writ*");
}

Test(faults, a_service_called_after_shutdown) {
    check_fault("calls_after_shutdown", "negotiation,lifecycle", "lifecycle/calls-no-service-after-shutdown",
                "calls of the host's services came after shutdown had returned", "");
}
