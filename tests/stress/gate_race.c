/* gate_race.c: threads run through the gate while it is closed and opened; nobody is ever inside an empty gate. */
#include <host/gate.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 8, CLOSINGS = 300 };

static struct gate gate;
static atomic_bool stop;
static int64_t guarded; /* plain: changed by the closer alone while the gate is empty, read inside */
static atomic_int_least64_t passages;
static atomic_int inside;

static void *pass(void *argument) {
    int64_t seen = 0;
    while (!atomic_load(&stop)) {
        gate_enter(&gate);
        atomic_fetch_add(&inside, 1);
        seen = guarded > seen ? guarded : seen; /* the thread sanitizer judges this read */
        atomic_fetch_sub(&inside, 1);
        gate_leave(&gate);
        atomic_fetch_add(&passages, 1);
    }
    return argument;
}

int main(void) {
    pthread_t threads[THREADS];
    int failures = 0;
    uint64_t waited = 0;
    if (!gate_init(&gate)) {
        return 1;
    }
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, pass, NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < CLOSINGS; i++) {
        /* Never an idle gate: somebody passed since it opened. */
        for (int64_t before = atomic_load(&passages); atomic_load(&passages) == before;) {
            (void)sched_yield();
        }
        gate_close(&gate);
        while (!gate_drain(&gate, 1000)) {
        }
        failures += atomic_load(&inside) != 0;
        guarded++;
        waited += gate_open(&gate);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    gate_close(&gate);
    failures += !gate_drain(&gate, 0);
    failures += gate_open(&gate) != 0;
    gate_done(&gate);
    (void)printf("%d closings, %lld passages, %llu waits, %d failures\n", CLOSINGS, (long long)atomic_load(&passages),
                 (unsigned long long)waited, failures);
    return failures != 0;
}
