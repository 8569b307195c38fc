/* terminal.h: text for terminals: how wide it is, and nothing in it that could steer one. */
#ifndef POLARIS_HOST_TERMINAL_H
#define POLARIS_HOST_TERMINAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cleanup.h"

/* The columns that a text takes, as terminal_print prints it. */
int terminal_columns(const char *text);

/* Prints text in at most `width` columns (0: all of it), cut with an ellipsis. Control characters become '?': what
 * comes out of a store must not be able to steer a terminal. Returns the columns used. */
int terminal_print(FILE *out, const char *text, int width);

/* "NAME VERSION, ABI 1.1, build ID" and the line's end: who a build says that it is. */
void terminal_print_build(FILE *out, const char *name, const char *version, uint32_t major, uint32_t minor,
                          const char *build_id);

void terminal_pad(FILE *out, int columns);

/* Rows of equal length under their titles, printed page by page: the columns become as wide as a page needs, and never
 * narrower again. Zeroed but for the first two is ready. */
enum { GRID_COLUMNS_MAX = 12 };
struct grid {
    const char *const *titles; /* ends in NULL */
    unsigned right;            /* a bit for each column that stands to the right: 1 is the first */
    bool begun;
    int widths[GRID_COLUMNS_MAX];
};

/* Prints rows on standard output: a JSON array of arrays of strings and integers; what is neither is "-". No rows, or
 * NULL, print nothing. */
void grid_print(struct grid *grid, const json_t *rows);

#endif
