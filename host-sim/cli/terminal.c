/* terminal.c: text for terminals: how wide it is, and nothing in it that could steer one. */
#include "cli/terminal.h"

#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* One character of text: how many bytes, how many columns, and whether a terminal may see it as it is. */
static size_t measure(const char *text, int *ret_columns) {
    static bool prepared = false;
    if (*text >= ' ' && *text <= '~') { /* nearly all there is */
        *ret_columns = 1;
        return 1;
    }
    if (!prepared) { /* for wcwidth and iswprint: the texts are UTF-8, whatever the locale of the person is */
        (void)setlocale(LC_CTYPE, "C.UTF-8");
        prepared = true;
    }
    mbstate_t state = {0};
    wchar_t character;
    size_t bytes = mbrtowc(&character, text, strlen(text), &state);
    if (bytes == 0 || bytes > MB_LEN_MAX || !iswprint((wint_t)character)) {
        *ret_columns = -1;
        return bytes == 0 || bytes > MB_LEN_MAX ? 1 : bytes;
    }
    *ret_columns = wcwidth(character);
    return bytes;
}

int terminal_columns(const char *text) {
    int total = 0;
    while (*text != '\0') {
        int columns;
        text += measure(text, &columns);
        total += columns < 0 ? 1 : columns;
    }
    return total;
}

int terminal_print(FILE *out, const char *text, int width) {
    bool cut = width > 0 && terminal_columns(text) > width;
    int used = 0;
    while (*text != '\0') {
        int columns;
        size_t bytes = measure(text, &columns);
        bool printable = columns >= 0;
        columns = printable ? columns : 1;
        if (cut && used + columns > width - 1) {
            (void)fputs("…", out);
            return used + 1;
        }
        (void)fwrite(printable ? text : "?", printable ? bytes : 1, 1, out);
        text += bytes;
        used += columns;
    }
    return used;
}

void terminal_print_build(FILE *out, const char *name, const char *version, uint32_t major, uint32_t minor,
                          const char *build_id) {
    (void)terminal_print(out, name, 0);
    (void)fputc(' ', out);
    (void)terminal_print(out, version, 0);
    (void)fprintf(out, ", ABI %" PRIu32 ".%" PRIu32 ", build ", major, minor);
    (void)terminal_print(out, build_id, 0);
    (void)fputc('\n', out);
}

void terminal_pad(FILE *out, int columns) {
    (void)fprintf(out, "%*s", columns > 0 ? columns : 0, "");
}

/* ---- Grids ---- */

/* The text of a cell; a number is written into `number`. */
static const char *cell_text(const json_t *cell, char number[24]) {
    if (json_is_integer(cell)) {
        (void)snprintf(number, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(cell));
        return number;
    }
    return json_is_string(cell) ? json_string_value(cell) : "-";
}

static void widen(struct grid *grid, const json_t *row) {
    for (size_t i = 0; i < json_array_size(row) && i < GRID_COLUMNS_MAX; i++) {
        char number[24];
        int columns = terminal_columns(cell_text(json_array_get(row, i), number));
        grid->widths[i] = columns > grid->widths[i] ? columns : grid->widths[i];
    }
}

static void print_cell(const struct grid *grid, size_t i, const char *text) {
    int left = grid->widths[i] - terminal_columns(text);
    bool right = (grid->right & 1u << i) != 0;
    bool last = grid->titles[i + 1] == NULL;
    if (right) {
        terminal_pad(stdout, left);
    }
    (void)terminal_print(stdout, text, 0);
    terminal_pad(stdout, last ? 0 : right ? 2 : left + 2);
    if (last) {
        (void)putchar('\n');
    }
}

void grid_print(struct grid *grid, const json_t *rows) {
    bool begins = !grid->begun && json_array_size(rows) > 0;
    for (size_t row = 0; row < json_array_size(rows); row++) {
        widen(grid, json_array_get(rows, row));
    }
    for (size_t i = 0; begins && grid->titles[i] != NULL; i++) {
        int columns = terminal_columns(grid->titles[i]);
        grid->widths[i] = columns > grid->widths[i] ? columns : grid->widths[i];
    }
    for (size_t i = 0; begins && grid->titles[i] != NULL; i++) {
        print_cell(grid, i, grid->titles[i]);
    }
    grid->begun = grid->begun || begins;
    for (size_t row = 0; row < json_array_size(rows); row++) {
        for (size_t i = 0; grid->titles[i] != NULL; i++) {
            char number[24];
            print_cell(grid, i, cell_text(json_array_get(json_array_get(rows, row), i), number));
        }
    }
}
