/* checkpointer.c: when a write-ahead log is copied into the file. Without its thread: what is asked of it stays asked.
 */
#include "storage/sqlite/checkpointer.h"

#include <criterion/criterion.h>

enum { CHECKPOINT_PAGES = 100 };

static struct config config;
static struct checkpointer checkpointer;

static void set_up(void) {
    config_init(&config);
    config.checkpoint_pages = CHECKPOINT_PAGES;
    checkpointer = (struct checkpointer){
        .config = &config,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .work = PTHREAD_COND_INITIALIZER,
    };
}

static void tear_down(void) {
    config_done(&config);
}

TestSuite(checkpointer, .init = set_up, .fini = tear_down);

/* A commit after which the log has so many pages. */
static enum checkpoint_state after_commit(int log_pages) {
    checkpointer.log_pages = log_pages;
    checkpointer_pace(&checkpointer, NULL);
    return checkpointer.state;
}

Test(checkpointer, is_asked_when_checkpoint_pages_were_written) {
    cr_expect_eq(after_commit(3), CHECKPOINT_IDLE);
    cr_expect_eq(after_commit(3 + CHECKPOINT_PAGES - 1), CHECKPOINT_IDLE);
    cr_expect_eq(after_commit(3 + CHECKPOINT_PAGES), CHECKPOINT_WANTED);
}

Test(checkpointer, lets_a_log_of_the_instance_before_wait_until_as_much_again_was_written) {
    cr_expect_eq(after_commit(2 * CHECKPOINT_PAGES), CHECKPOINT_IDLE);
    cr_expect_eq(after_commit(3 * CHECKPOINT_PAGES - 1), CHECKPOINT_IDLE);
    cr_expect_eq(after_commit(3 * CHECKPOINT_PAGES), CHECKPOINT_WANTED);
}

Test(checkpointer, is_asked_at_once_for_a_long_log_of_the_instance_before) {
    cr_expect_eq(after_commit(2 * CHECKPOINT_PAGES + 1), CHECKPOINT_WANTED);
}

/* The thread is done with what it was asked, and copied so many pages. */
static void thread_copied(int pages) {
    checkpointer.thread_copied_pages = pages;
    checkpointer.state = CHECKPOINT_COPIED;
}

Test(checkpointer, is_not_asked_after_each_commit_when_a_sync_failed) {
    (void)after_commit(3);
    cr_assert_eq(after_commit(3 + CHECKPOINT_PAGES), CHECKPOINT_WANTED);
    thread_copied(-1);
    cr_expect_eq(after_commit(3 + CHECKPOINT_PAGES + 1), CHECKPOINT_IDLE);
    cr_expect_eq(after_commit(3 + CHECKPOINT_PAGES + CHECKPOINT_PAGES), CHECKPOINT_IDLE);
    cr_expect_eq(after_commit(3 + CHECKPOINT_PAGES + CHECKPOINT_PAGES + 1), CHECKPOINT_WANTED);
}
