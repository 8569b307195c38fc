/* page.c: printing for people. */
#include "demo/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_COLUMNS = 96, LABEL_COLUMNS = 34, VALUE_COLUMNS = 12, RING_COUNT = 32, RING_SIZE = 256 };

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD, STYLE_HEAD };

static const char *const STYLE_CODES[] = {"", "\033[1m", "\033[2m", "\033[32m", "\033[1;31m", "\033[1;36m"};

static const char *begin(const struct page *page, enum style style) {
    return page->colour ? STYLE_CODES[style] : "";
}

static const char *end(const struct page *page) {
    return page->colour ? "\033[0m" : "";
}

/* The locale's variables in the order in which they count. */
static bool locale_is_utf8(void) {
    static const char *const NAMES[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const char *value = getenv(NAMES[i]);
        if (value != NULL && value[0] != '\0') {
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

void page_start(struct page *page, FILE *out) {
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    *page = (struct page){
        .out = out,
        .colour = isatty(fileno(out)) == 1 && (no_color == NULL || no_color[0] == '\0') &&
                  (term == NULL || strcmp(term, "dumb") != 0),
        .unicode = locale_is_utf8(),
    };
}

static void repeat(const struct page *page, const char *unicode, char ascii, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (page->unicode) {
            (void)fputs(unicode, page->out);
        } else {
            (void)fputc(ascii, page->out);
        }
    }
}

void page_title(struct page *page, const char *title, const char *subtitle) {
    (void)fprintf(page->out, "\n%s%s%s\n%s%s%s\n", begin(page, STYLE_BOLD), title, end(page), begin(page, STYLE_DIM),
                  subtitle, end(page));
}

void page_section(struct page *page, const char *title) {
    page->sections++;
    page->fresh = true;
    (void)fprintf(page->out, "\n%s%u  %s ", begin(page, STYLE_HEAD), page->sections, title);
    size_t used = strlen(title) + 4;
    repeat(page, "─", '-', used < TEXT_COLUMNS ? TEXT_COLUMNS - used : 0);
    (void)fprintf(page->out, "%s\n", end(page));
    (void)fflush(page->out);
}

/* Prints words until the line is full. Columns are counted in bytes: the demo's own text is ASCII. */
static void wrap(const struct page *page, const char *text, size_t indent) {
    size_t column = 0;
    for (const char *word = text; *word != '\0';) {
        size_t size = strcspn(word, " ");
        if (column == 0 || column + 1 + size > TEXT_COLUMNS) {
            (void)fprintf(page->out, "%s%*s", column == 0 ? "" : "\n", (int)indent, "");
            column = indent;
        } else {
            (void)fputc(' ', page->out);
            column++;
        }
        (void)fwrite(word, 1, size, page->out);
        column += size;
        word += size;
        word += strspn(word, " ");
    }
    (void)fputc('\n', page->out);
}

void page_text(struct page *page, const char *format, ...) {
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!page->fresh) {
        (void)fputc('\n', page->out);
    }
    page->fresh = false;
    wrap(page, text, 3);
}

void page_line(struct page *page, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fprintf(page->out, "     %s", begin(page, STYLE_DIM));
    (void)vfprintf(page->out, format, args);
    (void)fprintf(page->out, "%s\n", end(page));
    va_end(args);
}

void page_figure(struct page *page, const char *label, const char *value, const char *note, ...) {
    char text[512];
    va_list args;
    va_start(args, note);
    (void)vsnprintf(text, sizeof text, note, args);
    va_end(args);
    (void)fprintf(page->out, "   %-*s %s%*s%s%s%s%s%s\n", LABEL_COLUMNS, label, begin(page, STYLE_BOLD), VALUE_COLUMNS,
                  value, end(page), text[0] != '\0' ? "  " : "", begin(page, STYLE_DIM), text, end(page));
}

bool page_claim(struct page *page, bool holds, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    page->claims++;
    page->broken += !holds;
    const char *mark = page->unicode ? (holds ? "✓" : "✗") : (holds ? "ok" : "NO");
    (void)fprintf(page->out, "   %s%s%s %s\n", begin(page, holds ? STYLE_GOOD : STYLE_BAD), mark, end(page), text);
    (void)fflush(page->out);
    return holds;
}

bool page_failure(struct page *page, const char *format, ...) {
    char text[1400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return page_claim(page, false, "%s", text);
}

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

static size_t column_count(const struct table *table) {
    size_t count = 0;
    while (count < TABLE_COLUMNS_MAX && table->titles[count] != NULL) {
        count++;
    }
    return count;
}

void table_row(struct table *table, ...) {
    if (table->row_count == TABLE_ROWS_MAX) {
        return;
    }
    va_list args;
    va_start(args, table);
    for (size_t i = 0; i < column_count(table); i++) {
        const char *cell = va_arg(args, const char *);
        (void)snprintf(table->cells[table->row_count][i], TABLE_CELL_SIZE, "%s", cell != NULL ? cell : "");
    }
    va_end(args);
    table->row_count++;
}

/* The last column needs no blanks behind it. */
static void print_row(const struct page *page, const struct table *table, const size_t *widths, size_t columns,
                      const char *const *cells) {
    for (size_t column = 0; column < columns; column++) {
        bool right = table->titles[column][0] == '>';
        bool last = column + 1 == columns;
        (void)fprintf(page->out, right ? "  %*s" : "  %-*s", last && !right ? 0 : (int)widths[column], cells[column]);
    }
}

void page_table(struct page *page, const struct table *table) {
    size_t columns = column_count(table);
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    const char *cells[TABLE_COLUMNS_MAX] = {NULL};
    for (size_t column = 0; column < columns; column++) {
        cells[column] = table->titles[column] + (table->titles[column][0] == '>');
        widths[column] = strlen(cells[column]);
        for (size_t row = 0; row < table->row_count; row++) {
            size_t size = strlen(table->cells[row][column]);
            widths[column] = size > widths[column] ? size : widths[column];
        }
    }
    (void)fprintf(page->out, " %s", begin(page, STYLE_DIM));
    print_row(page, table, widths, columns, cells);
    (void)fprintf(page->out, "%s\n", end(page));
    for (size_t row = 0; row < table->row_count; row++) {
        for (size_t column = 0; column < columns; column++) {
            cells[column] = table->cells[row][column];
        }
        (void)fputc(' ', page->out);
        print_row(page, table, widths, columns, cells);
        (void)fputc('\n', page->out);
    }
}

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

static char *ring(void) {
    static char slots[RING_COUNT][RING_SIZE];
    static size_t next;
    next = (next + 1) % RING_COUNT;
    return slots[next];
}

const char *show_text(const char *format, ...) {
    char *slot = ring();
    va_list args;
    va_start(args, format);
    (void)vsnprintf(slot, RING_SIZE, format, args);
    va_end(args);
    return slot;
}

const char *show_count(uint64_t count) {
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *slot = ring(), *out = slot;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) {
            *out++ = ',';
        }
        *out++ = digits[i];
    }
    *out = '\0';
    return slot;
}

const char *show_duration(int64_t us) {
    if (us < 1000) {
        return show_text("%lld us", (long long)us);
    }
    if (us < 1000000) {
        return show_text("%.1f ms", (double)us / 1e3);
    }
    return show_text("%.2f s", (double)us / 1e6);
}

const char *show_build(const char *build_id) {
    const char *suffix = strrchr(build_id, '-');
    return show_text("%.8s%s", build_id, suffix != NULL && strlen(build_id) > 8 ? suffix : "");
}

const char *show_rate(double per_second) {
    return show_text("%s/s", show_count((uint64_t)(per_second + 0.5)));
}

const char *show_time(int64_t us) {
    int64_t seconds = us / 1000000 - (us % 1000000 < 0);
    time_t time = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&time, &parts) == NULL) {
        return "?";
    }
    char *slot = ring();
    slot[strftime(slot, RING_SIZE, "%Y-%m-%d %H:%M:%S", &parts)] = '\0';
    return slot;
}
