/* verdict.c: the page that a check's process shares with the one that started it. */
#include "check/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static struct verdict_page *shared; /* one process, one check */

struct verdict_page *verdict_page_new(void) {
    void *page = mmap(NULL, sizeof(struct verdict_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED ? page : NULL;
}

void verdict_page_free(struct verdict_page *page) {
    if (page != NULL) {
        (void)munmap(page, sizeof *page);
    }
}

void verdict_begin(struct verdict_page *page) {
    shared = page;
}

void doing(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(shared->doing, sizeof shared->doing, format, args);
    va_end(args);
}

__attribute__((format(printf, 2, 0))) static noreturn void say(enum verdict verdict, const char *format, va_list args) {
    if (atomic_exchange(&shared->claimed, 1) == 0) {
        (void)vsnprintf(shared->reason, sizeof shared->reason, format, args);
        atomic_store(&shared->verdict, (int)verdict);
    }
    _exit(verdict == VERDICT_PASSED ? 0 : 1); /* no destructor of the plugin runs: it may be in any state */
}

noreturn void passed(void) {
    if (atomic_exchange(&shared->claimed, 1) == 0) {
        atomic_store(&shared->verdict, VERDICT_PASSED);
    }
    _exit(0);
}

noreturn void finding(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(VERDICT_FAILED, format, args);
}

noreturn void skipped(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(VERDICT_SKIPPED, format, args);
}

noreturn void refused(const char *format, ...) {
    va_list args;
    va_start(args, format);
    say(VERDICT_REFUSED, format, args);
}
