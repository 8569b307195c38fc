/* faults_test.c: each fault that was planted (broken.c) is found by the check that is meant for it, and by no other but
 * those that are named beside it, of all that look at the same part of the boundary. */
#include <criterion/criterion.h>

#include "cli.h"
#include "run.h"

TestSuite(faults, .init = cli_enter, .fini = cli_leave, .timeout = 120);

Test(faults, a_crash_of_a_build_that_is_loaded) {
    check_fault("crashes_when_loaded", "negotiation,lifecycle,query", "negotiation/the-build-loads",
                "the build does not load: ended by SIGABRT in load and greet it", "");
}

Test(faults, a_table_without_a_slot) {
    check_fault("lacks_a_slot", "negotiation,lifecycle,query", "negotiation/the-build-loads",
                "'dlq' is NULL in the table", "");
}

Test(faults, a_tail_that_is_ignored) {
    check_fault("ignores_a_tail", "negotiation,sizes", "negotiation/refuses-an-unknown-tail",
                "the entry answered OK, not INVALID", "");
}

Test(faults, a_byte_written_past_an_old_welcome) {
    check_fault("writes_past_the_welcome", "negotiation,sizes", "negotiation/writes-no-byte-past-a-welcome-of-1.0",
                "ended by SIGSEGV in the entry", "");
}

Test(faults, a_capability_bit_without_its_slot) {
    check_fault("bit_without_slot", "negotiation,submit", "negotiation/capability-bits-have-their-slots",
                "the bit CAN_SUBMIT is set, submit is NULL", "");
}

Test(faults, a_byte_read_past_the_services) {
    check_fault("reads_past_the_services", "sizes,negotiation", "sizes/accepts-services-of-any-legal-size",
                "ended by SIGSEGV in init with services of 1.0", "sizes/refuses-services-that-are-not");
}

Test(faults, a_second_writer_that_is_let_in) {
    check_fault("shares_the_file", "lifecycle,swap", "lifecycle/a-second-writer-is-busy", "answered OK, not BUSY",
                "lifecycle/a-second-writ*,swap/copies-of-the-build-exclude-each-other");
}

Test(faults, second_writers_that_race) {
    check_fault("shares_the_file", "threads/init-may-race-for-a-file", "threads/init-may-race-for-a-file",
                "two threads have the file open at one time", "");
}

Test(faults, a_crash_in_a_second_process) {
    check_limit("5");
    check_fault("crashes_in_a_second_process", "lifecycle/a-second", "lifecycle/a-second-writing-process-is-busy",
                "its second process was ended by SIGABRT", "");
}

Test(faults, a_crash_after_much_talk) {
    check_fault("talks_and_crashes", "lifecycle/opens", "lifecycle/opens-and-shuts-down",
                "ended by SIGABRT in init : ==1==ERROR: AddressSanitizer: heap-use-after-free", "");
}

Test(faults, a_file_that_is_denied) {
    check_fault("claims_no_file", "negotiation,lifecycle,store,query,dlq", "lifecycle/opens-and-shuts-down",
                "init made a file, and the descriptor says", "");
}

Test(faults, a_string_without_an_end) {
    check_fault("ends_no_id", "negotiation", "negotiation/says-who-it-is",
                "the descriptor's id does not end with a NUL in its 64 bytes", "");
    check_fault("ends_no_reason", "negotiation", "negotiation/says-who-it-is", "the welcome's reason does not end", "");
}

Test(faults, a_linkage_that_no_revision_has) {
    check_fault("links_in_no_way", "negotiation", "negotiation/says-who-it-is",
                "sqlite_linkage is 3, which no revision", "");
}

Test(faults, an_entry_with_a_side_effect) {
    check_fault("makes_a_file_in_the_entry", "negotiation", "negotiation/is-free-of-side-effects",
                "a greeting made a file", "");
}

Test(faults, a_log_line_that_is_no_text) {
    check_fault("logs_no_text", "lifecycle", "lifecycle/log-lines-are-lines", "were no UTF-8", "");
}

Test(faults, tickets_that_go_down) {
    check_fault("tickets_go_down", "submit,sizes/submit", "submit/each-request-ends-once", "a request got the ticket ",
                "");
}

Test(faults, an_instance_given_by_an_init_that_fails) {
    check_fault("changes_self", "sizes,lifecycle", "sizes/init-judges-its-sink-as-well",
                "failed, and changed *ret_self", "");
}

Test(faults, a_shutdown_that_refuses_its_sink_and_stays_open) {
    check_fault("stays_open_to_no_sink", "lifecycle,sizes", "lifecycle/shutdown-closes-whatever-it-is-given",
                "init answered BUSY", "");
}

Test(faults, a_service_called_after_shutdown) {
    check_fault("calls_after_shutdown", "lifecycle", "lifecycle/calls-no-service-after-shutdown",
                "calls of the host's services came after shutdown had returned", "");
}

Test(faults, a_shutdown_that_does_not_close) {
    check_fault("stays_open", "lifecycle", "lifecycle/shutdown-takes-a-map-or-nothing", "init answered BUSY", "");
}

Test(faults, an_id_that_is_used_again) {
    check_fault("reuses_an_id", "lifecycle,store", "lifecycle/ids-go-on-when-opened-again",
                "an event got the id 3 after another one had 3", "");
}

Test(faults, a_pointer_kept_to_a_request) {
    check_fault("keeps_the_request", "ownership,store", "ownership/keeps-no-pointer-to-a-request",
                "ended by SIGSEGV in the call behind", "");
}

Test(faults, a_request_that_is_written_to) {
    check_fault("writes_to_the_request", "ownership,query", "ownership/leaves-requests-as-they-are",
                "which nobody may write to", "");
}

Test(faults, a_pointer_kept_to_what_was_submitted) {
    check_fault("keeps_the_submitted", "ownership", "ownership/submit-copies-what-it-was-given",
                "ended by SIGSEGV in submit", "");
}

Test(faults, a_second_reply) {
    check_fault("replies_twice", "replies", "replies/are-exactly-one-map", "bytes follow the value",
                "replies/that-are-refused-are-lost-and-the-work-is-not");
}

Test(faults, a_piece_of_a_reply_after_the_verb_returned) {
    check_fault("replies_late", "replies,query", "replies/come-before-the-verb-returns",
                "a piece of the reply of query {'op': 'tags'} came after", "");
}

Test(faults, a_reply_from_another_thread) {
    check_fault("replies_from_a_thread", "replies,query", "replies/come-from-the-calling-thread",
                "came from another thread than the caller's", "");
}

Test(faults, a_reply_that_is_no_map) {
    check_fault("replies_no_map", "replies", "replies/are-exactly-one-map", "the reply is not a map", "");
}

Test(faults, a_reply_that_goes_on_after_it_was_refused) {
    check_fault("goes_on_after_a_refusal", "replies,dlq", "replies/that-are-refused-are-lost-and-the-work-is-not",
                "went on with its reply after the sink had refused it", "");
}

Test(faults, an_unknown_op_that_is_ok) {
    check_fault("takes_any_op", "errors", "errors/unknown-ops-are-unsupported", "answered OK, not UNSUPPORTED", "");
}

Test(faults, an_unknown_field_that_is_ignored) {
    check_fault("takes_any_field", "errors,query", "errors/unknown-fields-are-invalid", "answered OK, not INVALID", "");
}

Test(faults, an_error_that_claims_to_be_retryable) {
    check_fault("says_retryable", "errors", "errors/maps-are-whole", "the header says that NOT_FOUND is not retryable",
                "");
}

Test(faults, an_error_map_with_another_status) {
    check_fault("says_another_status", "errors", "errors/maps-are-whole", "the error map has another code", "");
}

Test(faults, a_crash_on_a_claim_of_billions) {
    check_fault("crashes_on_a_claim", "errors", "errors/empty-claims-are-not-believed",
                "ended by SIGABRT in query with a map of 4 billion entries", "errors/noise-is-answered");
}

Test(faults, an_event_that_is_forgotten) {
    check_fault("forgets_an_event", "store,lifecycle", "store/keeps-every-event-of-many", "event 100 got the id 100",
                "");
}

Test(faults, an_acknowledgement_before_the_commit) {
    check_fault("acknowledges_early", "kill", "kill/acknowledged-events-are-there",
                "event 51 of 53 was acknowledged with the id 51, and is NOT_FOUND after the kill",
                "kill/amid-appends-*,kill/batches-*,kill/claimed-*");
}

Test(faults, a_submit_that_waits) {
    check_fault("submit_waits", "submit", "submit/does-not-wait", "submit waits", "submit/is-busy-when-full");
}

Test(faults, an_end_that_is_told_twice) {
    check_fault("tells_twice", "submit", "submit/each-request-ends-once",
                "the end of request 100 of 300 was told 2 times",
                "submit/keeps-the-order-of-a-thread,submit/cancel-gives-up-*");
}

Test(faults, a_cancel_that_gives_up_nothing) {
    check_fault("cancels_nothing", "submit", "submit/cancel-gives-up-what-has-not-begun",
                "cancel answered OK, and the request ended with OK", "submit/cancel-tells-tickets-apart");
}

Test(faults, a_log_that_is_not_kept) {
    check_fault("loses_the_log", "swap", "swap/keep-log-leaves-the-log", "there is no log", "");
}

Test(faults, a_thread_that_is_left) {
    check_fault("leaks_a_thread", "leaks/threads,leaks/descriptors,leaks/dlclose-unmaps", "leaks/threads",
                "threads of the plugin are left", "");
}

Test(faults, a_process_that_is_left) {
    check_fault("leaves_a_process", "leaks,lifecycle", "leaks/processes", "a process that the plugin started goes on",
                "");
}

Test(faults, a_descriptor_that_is_left) {
    check_fault("leaks_a_descriptor", "leaks", "leaks/descriptors", "descriptors were left open",
                "leaks/descriptors-of-init-that-fails,leaks/mappings");
}

Test(faults, memory_that_is_left) {
    check_fault("leaks_memory", "leaks", "leaks/memory", "bytes of memory behind", "");
}

Test(faults, a_build_that_stays_mapped) {
    check_fault("stays_mapped", "leaks", "leaks/dlclose-unmaps", "after dlclose the build is still mapped",
                "leaks/mappings");
}

Test(faults, a_call_that_never_returns) {
    check_limit("2");
    check_fault("hangs", "threads/interrupt", "threads/interrupt-ends-all-waits",
                "hangs: had not ended after 2 s in query {'op': 'interrupt'}", "");
}
