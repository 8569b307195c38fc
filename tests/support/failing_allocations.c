/* failing_allocations.c: what the linker puts before the allocator (ld's --wrap). */
#include "failing_allocations.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);

static atomic_uint made;
static atomic_int tick;
static atomic_int failing_tick; /* 0: none fails */
static atomic_bool failing_on;  /* all after it fail too */
static atomic_int failed;

void allocations_fail_at(int n, bool persistent) {
    failing_tick = 0;
    tick = 0;
    failing_on = persistent;
    if (n > 0) {
        failed = 0;
        failing_tick = n;
    }
}

int allocations_failed(void) {
    return failed;
}

unsigned allocations_made(void) {
    return made;
}

bool allocation_fails(void) {
    int at = failing_tick;
    made++;
    if (at == 0) {
        return false;
    }
    int now = ++tick;
    bool fails = now == at || (failing_on && now > at);
    failed += fails;
    return fails;
}

void *__wrap_malloc(size_t size) {
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size) {
    return allocation_fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}
