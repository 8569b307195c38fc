/* sanitizer_race.c: one deliberate race, to prove that the thread sanitizer's report turns a test red. */
#include <pthread.h>
#include <stddef.h>

static int shared;

static void *touch(void *context) {
    shared++;
    return context;
}

int main(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, touch, NULL) != 0) {
        return 2;
    }
    shared++;
    (void)pthread_join(thread, NULL);
    return shared == 0;
}
