/* document.c: reading Markdown line by line; it knows no more of it than SPEC.md uses. */
#include "document.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

static struct part *add_part(struct document *document, enum part_kind kind, int line) {
    document->parts = reallocarray(document->parts, document->count + 1, sizeof *document->parts);
    cr_assert_not_null(document->parts);
    struct part *part = &document->parts[document->count++];
    *part = (struct part){.kind = kind, .line = line};
    return part;
}

static char *trimmed(const char *text, size_t size) {
    while (size > 0 && text[0] == ' ') {
        text++;
        size--;
    }
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\n')) {
        size--;
    }
    char *copy = strndup(text, size);
    cr_assert_not_null(copy);
    return copy;
}

static void add_block(struct document *document, const char *info, int line) {
    struct part *part = add_part(document, PART_BLOCK, line);
    (void)sscanf(info, "%63s %63s %63s", part->words[0], part->words[1], part->words[2]);
    part->text = trimmed("", 0);
}

static void extend_block(struct part *part, const char *line) {
    size_t had = strlen(part->text);
    part->text = realloc(part->text, had + strlen(line) + 1);
    cr_assert_not_null(part->text);
    strcpy(part->text + had, line);
}

static void add_heading(struct document *document, const char *text, int line) {
    struct part *part = add_part(document, PART_HEADING, line);
    part->level = (int)strspn(text, "#");
    part->text = trimmed(text + part->level, strlen(text + part->level));
}

static void add_row(struct document *document, const char *text, int line) {
    struct part *part = add_part(document, PART_ROW, line);
    for (size_t i = 0; i < CELLS_MAX; i++) {
        text++; /* behind the bar */
        const char *bar = strchr(text, '|');
        if (bar == NULL) {
            return;
        }
        part->cells[i] = trimmed(text, (size_t)(bar - text));
        text = bar;
    }
}

static void free_line(char **line) {
    free(*line);
}

struct document document_read(const char *path) {
    struct document document = {0};
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s cannot be read", path);
    CLEANUP(free_line) char *line = NULL;
    size_t capacity = 0;
    bool in_block = false;
    for (int number = 1; getline(&line, &capacity, file) >= 0; number++) {
        if (strncmp(line, "```", 3) == 0) {
            if (!in_block) {
                add_block(&document, line + 3, number);
            }
            in_block = !in_block;
        } else if (in_block) {
            extend_block(&document.parts[document.count - 1], line);
        } else if (line[0] == '#') {
            add_heading(&document, line, number);
        } else if (line[0] == '|') {
            add_row(&document, line, number);
        }
    }
    fclose(file);
    cr_assert(!in_block, "%s: a block is not closed", path);
    return document;
}

void document_done(struct document *document) {
    for (size_t i = 0; i < document->count; i++) {
        free(document->parts[i].text);
        for (size_t j = 0; j < CELLS_MAX; j++) {
            free(document->parts[i].cells[j]);
        }
    }
    free(document->parts);
    *document = (struct document){0};
}

void cell_code(const char *cell, char *ret_code, size_t size) {
    const char *from = cell != NULL ? strchr(cell, '`') : NULL;
    const char *to = from != NULL ? strchr(from + 1, '`') : NULL;
    snprintf(ret_code, size, "%.*s", to != NULL ? (int)(to - from - 1) : 0, to != NULL ? from + 1 : "");
}
