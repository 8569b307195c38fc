/* failure.c: describing failures of the host. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "text.h"

bool failure_set(struct failure *failure, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (vsnprintf(failure->message, sizeof failure->message, format, args) < 0) {
        failure->message[0] = '\0';
    }
    va_end(args);
    /* Parts of files and of arguments stand in messages, and they end on terminals and in error maps. */
    text_make_good(failure->message, TEXT_WITHOUT_CONTROLS);
    return false;
}
