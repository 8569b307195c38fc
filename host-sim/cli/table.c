/* table.c: events on standard output, as JSON Lines or as a table for people. */
#include "cli/table.h"

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "cli/instant.h"
#include "message/message.h"

static const struct {
    const char *title;
    int width_max; /* what is longer is cut, lest one long name make the table unreadable */
} COLUMNS[TABLE_COLUMNS] = {{"ID", 20}, {"TIME", 27}, {"TYPE", 32}, {"STREAM", 32}, {"TAGS", 40}};

static void freep(char **memory) {
    free(*memory);
}

/* One character of text: how many bytes, how many columns, and whether a terminal may see it as it is. */
static size_t measure(const char *text, int *ret_columns) {
    if (*text >= ' ' && *text <= '~') { /* nearly all there is */
        *ret_columns = 1;
        return 1;
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

static int text_columns(const char *text) {
    int total = 0;
    while (*text != '\0') {
        int columns;
        text += measure(text, &columns);
        total += columns < 0 ? 1 : columns;
    }
    return total;
}

/* Prints text in at most `width` columns (0: all of it), cut with an ellipsis. Control characters become '?': what
 * comes out of a store must not be able to steer a terminal. Returns the columns used. */
static int print_cut(const char *text, int width) {
    bool cut = width > 0 && text_columns(text) > width;
    int used = 0;
    while (*text != '\0') {
        int columns;
        size_t bytes = measure(text, &columns);
        bool printable = columns >= 0;
        columns = printable ? columns : 1;
        if (cut && used + columns > width - 1) {
            (void)fputs("…", stdout);
            return used + 1;
        }
        (void)fwrite(printable ? text : "?", printable ? bytes : 1, 1, stdout);
        text += bytes;
        used += columns;
    }
    return used;
}

/* The text of a cell; the caller frees it. */
static char *cell(const json_t *event, enum table_column column) {
    static const char *const NAMES[] = {"id", "time", "type", "stream", "tags"};
    const json_t *value = json_object_get(event, NAMES[column]);
    char *text = NULL;
    if (value == NULL) {
        return strdup("-");
    }
    if (column == TABLE_TIME && json_is_integer(value)) {
        char time[INSTANT_TEXT_SIZE];
        instant_print(json_integer_value(value), time);
        return strdup(time);
    }
    if (json_is_string(value)) {
        return strdup(json_string_value(value));
    }
    if (column != TABLE_TAGS || !json_is_array(value)) {
        return message_print(value);
    }
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; out != NULL && i < json_array_size(value); i++) {
        const char *tag = json_string_value(json_array_get(value, i));
        (void)fprintf(out, "%s%s", i > 0 ? "," : "", tag != NULL ? tag : "?");
    }
    return out != NULL && fclose(out) == 0 ? text : NULL;
}

static void pad(int columns) {
    (void)printf("%*s", columns, "");
}

static bool print_row(const struct table *table, const json_t *event) {
    int used = 0;
    for (enum table_column i = 0; i < TABLE_COLUMNS; i++) {
        CLEANUP(freep) char *text = cell(event, i);
        if (text == NULL) {
            return false;
        }
        if (i == TABLE_ID) {
            pad(table->widths[i] - text_columns(text)); /* numbers stand to the right */
            (void)print_cut(text, table->widths[i]);
        } else {
            pad(table->widths[i] - print_cut(text, table->widths[i]));
        }
        pad(2);
        used += table->widths[i] + 2;
    }
    const char *damaged = json_string_value(json_object_get(event, "damaged"));
    CLEANUP(freep) char *data = NULL;
    if (damaged != NULL ? asprintf(&data, "damaged: %s", damaged) < 0
                        : (data = message_print(json_object_get(event, "data"))) == NULL) {
        return false;
    }
    int left = table->line_width == 0 ? 0 : table->line_width - used;
    (void)print_cut(data, table->line_width != 0 && left < 8 ? 8 : left);
    return putchar('\n') != EOF;
}

static bool widen(struct table *table, const json_t *events) {
    for (size_t row = 0; row < json_array_size(events); row++) {
        for (enum table_column i = 0; i < TABLE_COLUMNS; i++) {
            CLEANUP(freep) char *text = cell(json_array_get(events, row), i);
            if (text == NULL) {
                return false;
            }
            int columns = text_columns(text);
            columns = columns > COLUMNS[i].width_max ? COLUMNS[i].width_max : columns;
            table->widths[i] = columns > table->widths[i] ? columns : table->widths[i];
        }
    }
    return true;
}

static void begin(struct table *table) {
    struct winsize size;
    table->begun = true;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        table->line_width = size.ws_col;
    }
    /* For wcwidth and iswprint: the texts are UTF-8, whatever the locale of the person is. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
}

static bool print_table(struct table *table, const json_t *events) {
    bool first = !table->begun;
    if (first) {
        begin(table);
        for (enum table_column i = 0; i < TABLE_COLUMNS; i++) {
            table->widths[i] = text_columns(COLUMNS[i].title);
        }
    }
    if (!widen(table, events)) {
        return false;
    }
    if (first) {
        for (enum table_column i = 0; i < TABLE_COLUMNS; i++) {
            (void)printf(i == TABLE_ID ? "%*s  " : "%-*s  ", table->widths[i], COLUMNS[i].title);
        }
        (void)puts("DATA");
    }
    for (size_t row = 0; row < json_array_size(events); row++) {
        if (!print_row(table, json_array_get(events, row))) {
            return false;
        }
    }
    return true;
}

static bool print_lines(const json_t *events) {
    for (size_t row = 0; row < json_array_size(events); row++) {
        CLEANUP(freep) char *text = message_print(json_array_get(events, row));
        if (text == NULL || puts(text) == EOF) {
            return false;
        }
    }
    return true;
}

bool table_print(struct table *table, const json_t *events) {
    if (json_array_size(events) == 0) {
        return true;
    }
    return (table->json ? print_lines(events) : print_table(table, events)) && fflush(stdout) == 0;
}

int table_fail(const struct session *session) {
    /* What cannot be written is told by main, when the command has ended. */
    return ferror(stdout) ? EXIT_ERROR : session_fail(session, EXIT_ERROR, "printing events: no memory");
}
