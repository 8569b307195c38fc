/* output.h: what a process prints: of all of it, however much it is, the line that says most is kept. */
#ifndef POLARIS_CHECK_OUTPUT_H
#define POLARIS_CHECK_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

enum { OUTPUT_LINE_SIZE = 4097 }; /* what a line has beyond that is dropped */

/* Zeroed is ready. */
struct output {
    char best[OUTPUT_LINE_SIZE]; /* a sanitizer's report, or else the last whole line */
    bool settled;                /* it is a report: nothing that comes later says more */
    char line[OUTPUT_LINE_SIZE]; /* the one that goes on */
    size_t size;
};

/* The next bytes of it. */
void output_take(struct output *output, const char *bytes, size_t size);

/* At its end: the line that says most, or NULL: it said nothing. Good until the struct is written to. */
const char *output_telling_line(struct output *output);

#endif
