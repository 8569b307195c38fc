/* gate_test.c: the counting gate, with threads that are known to wait before the test goes on. */
#include <criterion/criterion.h>
#include <host/gate.h>
#include <sched.h>
#include <stdatomic.h>

static struct gate gate;

static void set_up(void) {
    cr_assert(gate_init(&gate));
}

static void tear_down(void) {
    gate_done(&gate);
}

TestSuite(gate, .init = set_up, .fini = tear_down, .timeout = 30);

static atomic_int entered;

static void *enter(void *argument) {
    gate_enter(&gate);
    atomic_fetch_add(&entered, 1);
    return argument;
}

static uint64_t waiting(void) {
    (void)pthread_mutex_lock(&gate.lock);
    uint64_t count = gate.waiting;
    (void)pthread_mutex_unlock(&gate.lock);
    return count;
}

static void start_and_wait_until_it_waits(pthread_t *ret_thread, uint64_t before) {
    cr_assert_eq(pthread_create(ret_thread, NULL, enter, NULL), 0);
    while (waiting() == before) {
        (void)sched_yield();
    }
}

Test(gate, is_open_at_first_and_empty_after_all_left) {
    gate_enter(&gate);
    gate_enter(&gate);
    gate_leave(&gate);
    gate_leave(&gate);
    gate_close(&gate);
    cr_assert(gate_drain(&gate, 0));
    cr_assert_eq(gate_open(&gate), 0);
}

Test(gate, drain_gives_up_after_its_time_and_says_so) {
    gate_enter(&gate);
    gate_close(&gate);
    cr_assert_not(gate_drain(&gate, 0));
    cr_assert_not(gate_drain(&gate, 1500));
    gate_leave(&gate);
    cr_assert(gate_drain(&gate, 0));
    cr_assert_eq(gate_open(&gate), 0);
}

Test(gate, who_comes_while_it_is_closed_waits_and_is_counted) {
    pthread_t threads[3];
    gate_close(&gate);
    for (uint64_t i = 0; i < 3; i++) {
        start_and_wait_until_it_waits(&threads[i], i);
    }
    cr_assert(gate_drain(&gate, 0), "who waits is not inside");
    cr_assert_eq(atomic_load(&entered), 0);

    cr_assert_eq(gate_open(&gate), 3);

    for (int i = 0; i < 3; i++) {
        (void)pthread_join(threads[i], NULL);
        gate_leave(&gate);
    }
    cr_assert_eq(atomic_load(&entered), 3);
}

Test(gate, who_waited_is_inside_even_if_it_closes_again_at_once) {
    pthread_t thread;
    gate_close(&gate);
    start_and_wait_until_it_waits(&thread, 0);

    cr_assert_eq(gate_open(&gate), 1);
    gate_close(&gate);

    cr_assert_not(gate_drain(&gate, 0), "the one who waited was let in, and has not left");
    (void)pthread_join(thread, NULL);
    cr_assert_eq(atomic_load(&entered), 1);
    gate_leave(&gate);
    cr_assert(gate_drain(&gate, 0));
    cr_assert_eq(gate_open(&gate), 0);
}

static void *leave(void *argument) {
    gate_leave(&gate);
    return argument;
}

Test(gate, drain_ends_when_the_last_one_leaves) {
    pthread_t thread;
    gate_enter(&gate);
    gate_close(&gate);
    cr_assert_eq(pthread_create(&thread, NULL, leave, NULL), 0);
    cr_assert(gate_drain(&gate, INT64_C(20000000)));
    (void)pthread_join(thread, NULL);
    cr_assert_eq(gate_open(&gate), 0);
}
