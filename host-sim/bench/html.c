/* html.c: the report as one page that needs nothing else. */
#include <string.h>

#include "bench/report.h"

/* report.html, taken into the executable as it is. */
__asm__(".pushsection .rodata, \"a\"\n"
        ".global BENCH_PAGE\n"
        "BENCH_PAGE:\n"
        ".incbin \"" POLARIS_BENCH_PAGE "\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char BENCH_PAGE[];

static const char PLACE[] = "/*REPORT*/null";

/* JSON within a script: no "<" may end it. */
static int write_text(const char *text, size_t size, void *context) {
    FILE *out = context;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '<') {
            (void)fputs("\\u003c", out);
        } else {
            (void)fputc(text[i], out);
        }
    }
    return ferror(out) == 0 ? 0 : -1;
}

bool report_write_html(FILE *out, const json_t *report, struct failure *failure) {
    const char *place = strstr(BENCH_PAGE, PLACE);
    if (place == NULL) {
        return failure_set(failure, "the page has no place for the report");
    }
    (void)fwrite(BENCH_PAGE, 1, (size_t)(place - BENCH_PAGE), out);
    int written = json_dump_callback(report, write_text, out, JSON_COMPACT | JSON_REAL_PRECISION(6));
    (void)fputs(place + sizeof PLACE - 1, out);
    return (written == 0 && fflush(out) == 0) || failure_set(failure, "the page cannot be written");
}
