/* failure.c: describing failures of the host. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

bool failure_set(struct failure *failure, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (vsnprintf(failure->message, sizeof failure->message, format, args) < 0) {
        failure->message[0] = '\0';
    }
    va_end(args);
    return false;
}
