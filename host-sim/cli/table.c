/* table.c: events on standard output, as JSON Lines or as a table for people. */
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/instant.h"
#include "cli/terminal.h"
#include "message/message.h"

static const struct {
    const char *title;
    int width_max; /* what is longer is cut, lest one long name make the table unreadable */
} COLUMNS[TABLE_COLUMNS] = {{"ID", 20}, {"TIME", 27}, {"TYPE", 32}, {"STREAM", 32}, {"TAGS", 40}};

static void freep(char **memory) {
    free(*memory);
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

static bool print_row(const struct table *table, const json_t *event) {
    int used = 0;
    for (enum table_column i = 0; i < TABLE_COLUMNS; i++) {
        CLEANUP(freep) char *text = cell(event, i);
        if (text == NULL) {
            return false;
        }
        if (i == TABLE_ID) {
            terminal_pad(stdout, table->widths[i] - terminal_columns(text)); /* numbers stand to the right */
            (void)terminal_print(stdout, text, table->widths[i]);
        } else {
            terminal_pad(stdout, table->widths[i] - terminal_print(stdout, text, table->widths[i]));
        }
        terminal_pad(stdout, 2);
        used += table->widths[i] + 2;
    }
    const char *damaged = json_string_value(json_object_get(event, "damaged"));
    CLEANUP(freep) char *data = NULL;
    if (damaged != NULL ? asprintf(&data, "damaged: %s", damaged) < 0
                        : (data = message_print(json_object_get(event, "data"))) == NULL) {
        return false;
    }
    int left = table->line_width == 0 ? 0 : table->line_width - used;
    (void)terminal_print(stdout, data, table->line_width != 0 && left < 8 ? 8 : left);
    return putchar('\n') != EOF;
}

static bool widen(struct table *table, const json_t *events) {
    for (size_t row = 0; row < json_array_size(events); row++) {
        for (enum table_column i = 0; i < TABLE_COLUMNS; i++) {
            CLEANUP(freep) char *text = cell(json_array_get(events, row), i);
            if (text == NULL) {
                return false;
            }
            int columns = terminal_columns(text);
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
}

static bool print_table(struct table *table, const json_t *events) {
    bool first = !table->begun;
    if (first) {
        begin(table);
        for (enum table_column i = 0; i < TABLE_COLUMNS; i++) {
            table->widths[i] = terminal_columns(COLUMNS[i].title);
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
