/* document.h: a Markdown document, taken apart into what tests need of it: fenced blocks, headings, rows of tables. */
#ifndef POLARIS_TESTS_SPEC_DOCUMENT_H
#define POLARIS_TESTS_SPEC_DOCUMENT_H

#include <stddef.h>

enum { INFO_WORDS_MAX = 3, WORD_SIZE = 64, CELLS_MAX = 6 };

enum part_kind { PART_BLOCK, PART_HEADING, PART_ROW };

/* One part, in the order of the document. */
struct part {
    enum part_kind kind;
    int line;
    char words[INFO_WORDS_MAX][WORD_SIZE]; /* of a block: ```json request store */
    char *text;                            /* of a block: what is inside; of a heading: without its marks */
    int level;                             /* of a heading */
    char *cells[CELLS_MAX];                /* of a row, trimmed; NULL where it has no more */
};

struct document {
    struct part *parts;
    size_t count;
};

/* Aborts the test when the file cannot be read. */
struct document document_read(const char *path);
void document_done(struct document *document);

/* The text between the first pair of `, in place of the cell's text: "`path`" gives "path". Cut at `size`. */
void cell_code(const char *cell, char *ret_code, size_t size);

#endif
