/* page.h: the page that the demo prints: sections, aligned figures, short tables, and claims that are counted. */
#ifndef POLARIS_HOST_PAGE_H
#define POLARIS_HOST_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct page {
    FILE *out;
    bool colour;  /* a terminal, and NO_COLOR is not set */
    bool unicode; /* the locale can show it */
    unsigned claims, broken;
    unsigned sections;
    bool fresh; /* nothing stands in the section yet */
};

void page_start(struct page *page, FILE *out);
void page_title(struct page *page, const char *title, const char *subtitle);
void page_section(struct page *page, const char *title);
/* A paragraph, wrapped, a blank line before it. */
void page_text(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line as it is, not wrapped, such as one of a log. */
void page_line(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "  events stored        6,512  in 66 requests": the value stands right, the note behind it. */
void page_figure(struct page *page, const char *label, const char *value, const char *note, ...)
    __attribute__((format(printf, 4, 5)));
/* A statement that was checked; one that does not hold is counted. Returns `holds`. */
bool page_claim(struct page *page, bool holds, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What went wrong where nothing more could be checked; counted like a claim that does not hold. Returns false. */
bool page_failure(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A short table, aligned to its widest cells. Cells are copied and cut. */
enum { TABLE_COLUMNS_MAX = 6, TABLE_ROWS_MAX = 24, TABLE_CELL_SIZE = 80 };
struct table {
    const char *titles[TABLE_COLUMNS_MAX]; /* ended by NULL; one that begins with '>' stands right */
    size_t row_count;
    char cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX][TABLE_CELL_SIZE];
};
/* Rows beyond the last are left out. As many strings as there are titles. */
void table_row(struct table *table, ...);
void page_table(struct page *page, const struct table *table);

/* Numbers as people read them, in a ring of static memory: good for a line of output, by one thread. */
const char *show_count(uint64_t count);       /* 6,512 */
const char *show_duration(int64_t us);        /* 840 us, 3.1 ms, 1.25 s */
const char *show_rate(double per_second);     /* 21,400/s */
const char *show_time(int64_t us);            /* 2026-01-01 00:00:00 */
const char *show_build(const char *build_id); /* 3656dbae-b: its beginning, and what stands behind its last dash */
const char *show_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
