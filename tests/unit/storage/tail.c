/* tail.c: waiting for events that another process stores. */
#include "storage/sqlite/tail.h"

#include <criterion/criterion.h>

/* Fails as often as told, then says that nothing moved. */
struct poller {
    int failures;
    int asked;
};

static int64_t ask(void *context) {
    struct poller *poller = context;
    poller->asked++;
    return poller->failures-- > 0 ? -1 : 5;
}

Test(tail, a_poll_that_failed_ends_its_wait_and_no_later_one) {
    struct tail tail;
    struct poller poller = {.failures = 1};
    struct tail_poll poll = {ask, &poller};
    cr_assert(tail_init(&tail, 5));

    cr_expect(tail_wait(&tail, 5, 50000, 0, &poll));
    cr_expect_eq(poller.asked, 1, "it waited though the file could not be read");

    cr_expect(tail_wait(&tail, 5, 50000, 0, &poll));
    cr_expect_gt(poller.asked, 2, "one failure turned all later waits into a busy loop");
    tail_done(&tail);
}

Test(tail, a_wait_ends_when_the_poll_finds_more) {
    struct tail tail;
    struct poller poller = {0};
    struct tail_poll poll = {ask, &poller};
    cr_assert(tail_init(&tail, 4));

    cr_expect(tail_wait(&tail, 4, INT64_C(60000000), 0, &poll));
    cr_expect_eq(poller.asked, 1);
    tail_done(&tail);
}
