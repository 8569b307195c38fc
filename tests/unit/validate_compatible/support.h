/* support.h: pairs of schemas, written as JSON with ' for ", and what comparing them says. */
#ifndef POLARIS_TESTS_UNIT_VALIDATE_COMPATIBLE_SUPPORT_H
#define POLARIS_TESTS_UNIT_VALIDATE_COMPATIBLE_SUPPORT_H

#include "../validate/support.h"

#include "validate/compatible.h"

/* Two compiled schemas, and the last answer. */
struct pair {
    struct subject writer, reader; /* options: set before pair_compile */
    struct compatible_report report;
    enum compatible_answer answer;
    struct error error;
};
void pair_init(struct pair *pair);
void pair_done(struct pair *pair);
void pair_compile(struct pair *pair, const char *writer, const char *reader);
/* Compares, and expects that both programs confirm each witness, and that the answer fits the report. */
enum status pair_check(struct pair *pair, enum compatible_content content);

/* Compares with the defaults. */
enum compatible_answer compare(const char *writer, const char *reader, enum compatible_content content);
/* The answer is expected, in the strict content model. */
void expect_yes(const char *writer, const char *reader);
/* NO, and a difference says: the kind, both paths, the witness as JSON with ' for " (NULL: any). */
void expect_no(const char *writer, const char *reader, const char *kind, const char *writer_path,
               const char *reader_path, const char *witness);
/* UNKNOWN, and a difference is of that kind. */
void expect_unknown(const char *writer, const char *reader, const char *kind);

/* One msgpack value as JSON with ' for ". */
void print_value(struct wire_value value, struct buffer *ret);
/* The report, a line for each difference: for messages of tests. */
const char *print_report(const struct compatible_report *report, struct buffer *text);

#endif
