/* output.c: finding the line that says most in what a process prints. */
#include "check/output.h"

#include <string.h>

static void end_line(struct output *output) {
    output->line[output->size] = '\0';
    if (output->line[0] != '\0') {
        output->settled = strstr(output->line, "ERROR: ") != NULL || strstr(output->line, "runtime error: ") != NULL;
        memcpy(output->best, output->line, output->size + 1);
    }
    output->size = 0;
}

void output_take(struct output *output, const char *bytes, size_t size) {
    while (size > 0 && !output->settled) {
        const char *end = memchr(bytes, '\n', size);
        size_t length = end != NULL ? (size_t)(end - bytes) : size;
        size_t room = sizeof output->line - 1 - output->size;
        size_t kept = length < room ? length : room;
        memcpy(output->line + output->size, bytes, kept);
        output->size += kept;
        if (end != NULL) {
            end_line(output);
            length++;
        }
        bytes += length;
        size -= length;
    }
}

const char *output_telling_line(struct output *output) {
    if (!output->settled) {
        end_line(output);
    }
    return output->best[0] != '\0' ? output->best : NULL;
}
