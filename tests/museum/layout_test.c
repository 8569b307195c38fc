/* layout_test.c: what this header lays out is what the ledger says, and the ledger only grew since each release. */
#include <criterion/criterion.h>
#include <polaris/event_store.h>
#include <stdio.h>
#include <string.h>

enum { LINES_MAX = 256, LINE_SIZE_MAX = 128 };

/* X(struct, member, since), in order. A member that is missing here leaves a hole, which is found. */
#define MEMBERS(X)                                                                                                     \
    X(polaris_bytes, data, 1.0)                                                                                        \
    X(polaris_bytes, size, 1.0)                                                                                        \
    X(polaris_sink, size, 1.0)                                                                                         \
    X(polaris_sink, reserved, 1.0)                                                                                     \
    X(polaris_sink, context, 1.0)                                                                                      \
    X(polaris_sink, write, 1.0)                                                                                        \
    X(polaris_es_services, size, 1.0)                                                                                  \
    X(polaris_es_services, reserved, 1.0)                                                                              \
    X(polaris_es_services, context, 1.0)                                                                               \
    X(polaris_es_services, log, 1.0)                                                                                   \
    X(polaris_es_services, now_us, 1.0)                                                                                \
    X(polaris_es_services, wake, 1.0)                                                                                  \
    X(polaris_es_table, size, 1.0)                                                                                     \
    X(polaris_es_table, abi_major, 1.0)                                                                                \
    X(polaris_es_table, abi_minor, 1.0)                                                                                \
    X(polaris_es_table, reserved, 1.0)                                                                                 \
    X(polaris_es_table, name, 1.0)                                                                                     \
    X(polaris_es_table, version, 1.0)                                                                                  \
    X(polaris_es_table, build_id, 1.0)                                                                                 \
    X(polaris_es_table, capabilities, 1.0)                                                                             \
    X(polaris_es_table, init, 1.0)                                                                                     \
    X(polaris_es_table, store, 1.0)                                                                                    \
    X(polaris_es_table, query, 1.0)                                                                                    \
    X(polaris_es_table, dlq, 1.0)                                                                                      \
    X(polaris_es_table, schema, 1.0)                                                                                   \
    X(polaris_es_table, shutdown, 1.0)                                                                                 \
    X(polaris_es_table, submit, 1.1)                                                                                   \
    X(polaris_es_table, cancel, 1.1)                                                                                   \
    X(polaris_es_hello, size, 1.0)                                                                                     \
    X(polaris_es_hello, major_min, 1.0)                                                                                \
    X(polaris_es_hello, major_max, 1.0)                                                                                \
    X(polaris_es_hello, minor, 1.0)                                                                                    \
    X(polaris_es_hello, host_name, 1.0)                                                                                \
    X(polaris_es_hello, host_version, 1.0)                                                                             \
    X(polaris_es_descriptor, size, 1.0)                                                                                \
    X(polaris_es_descriptor, format_read_min, 1.0)                                                                     \
    X(polaris_es_descriptor, format_read_max, 1.0)                                                                     \
    X(polaris_es_descriptor, format_write, 1.0)                                                                        \
    X(polaris_es_descriptor, sqlite_version_number, 1.0)                                                               \
    X(polaris_es_descriptor, sqlite_linkage, 1.0)                                                                      \
    X(polaris_es_descriptor, id, 1.0)                                                                                  \
    X(polaris_es_descriptor, version, 1.0)                                                                             \
    X(polaris_es_descriptor, build_id, 1.0)                                                                            \
    X(polaris_es_welcome, size, 1.0)                                                                                   \
    X(polaris_es_welcome, major, 1.0)                                                                                  \
    X(polaris_es_welcome, minor, 1.0)                                                                                  \
    X(polaris_es_welcome, reserved, 1.0)                                                                               \
    X(polaris_es_welcome, table, 1.0)                                                                                  \
    X(polaris_es_welcome, descriptor, 1.0)                                                                             \
    X(polaris_es_welcome, reason, 1.0)                                                                                 \
    X(polaris_es_completion, size, 1.1)                                                                                \
    X(polaris_es_completion, reserved, 1.1)                                                                            \
    X(polaris_es_completion, context, 1.1)                                                                             \
    X(polaris_es_completion, done, 1.1)

struct member {
    const char *structure, *name, *since;
    size_t offset, size, structure_size;
};

#define ROW(structure, member, since)                                                                                  \
    {#structure, #member, #since, offsetof(structure, member), sizeof(((structure *)0)->member), sizeof(structure)},
static const struct member LAYOUT[] = {MEMBERS(ROW)};
enum { MEMBER_COUNT = sizeof LAYOUT / sizeof LAYOUT[0] };

struct ledger {
    size_t count;
    char lines[LINES_MAX][LINE_SIZE_MAX];
};

static void ledger_read(const char *path, struct ledger *ret_ledger) {
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file, "cannot open %s", path);
    char line[LINE_SIZE_MAX];
    ret_ledger->count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '#' && line[0] != '\0') {
            cr_assert_lt(ret_ledger->count, LINES_MAX);
            memcpy(ret_ledger->lines[ret_ledger->count++], line, sizeof line);
        }
    }
    (void)fclose(file);
}

static struct ledger ledger;

static void set_up(void) {
    ledger_read(MUSEUM "/layout.ledger", &ledger);
}

TestSuite(layout, .init = set_up);

static bool ledger_has(const char *line) {
    for (size_t i = 0; i < ledger.count; i++) {
        if (strcmp(ledger.lines[i], line) == 0) {
            return true;
        }
    }
    return false;
}

Test(layout, of_every_member_is_in_the_ledger) {
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const struct member *member = &LAYOUT[i];
        char line[LINE_SIZE_MAX];
        (void)snprintf(line, sizeof line, "%s %s %zu %zu %s", member->structure, member->name, member->offset,
                       member->size, member->since);
        cr_expect(ledger_has(line), "append to tests/museum/layout.ledger, or take the change back: %s", line);
    }
}

/* With whatever version it came. */
static bool ledger_begins_a_line(const char *start) {
    for (size_t i = 0; i < ledger.count; i++) {
        if (strncmp(ledger.lines[i], start, strlen(start)) == 0) {
            return true;
        }
    }
    return false;
}

Test(layout, of_every_status_is_in_the_ledger) {
#define STATUS_LINE(name, number, retryable, meaning)                                                                  \
    cr_expect(ledger_begins_a_line("status " #name " " #number " " #retryable " "), "not in the ledger: status %s %d", \
              #name, number);
    POLARIS_ES_STATUSES(STATUS_LINE)
#undef STATUS_LINE
}

Test(layout, has_as_many_members_and_statuses_as_the_ledger) {
    cr_expect_eq(ledger.count, (size_t)MEMBER_COUNT + POLARIS_ES_STATUS_COUNT,
                 "the ledger has %zu lines, the header %zu: what is in the ledger stays in the header", ledger.count,
                 (size_t)MEMBER_COUNT + POLARIS_ES_STATUS_COUNT);
}

/* Members touch each other, up to the end of their struct: none was forgotten in the list above, and no padding is left
 * in which a later one could hide. */
Test(layout, has_no_holes) {
    size_t end = 0;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const struct member *member = &LAYOUT[i];
        bool is_first = i == 0 || strcmp(LAYOUT[i - 1].structure, member->structure) != 0;
        bool is_last = i + 1 == MEMBER_COUNT || strcmp(LAYOUT[i + 1].structure, member->structure) != 0;
        cr_expect_eq(member->offset, is_first ? 0 : end, "a hole before %s.%s", member->structure, member->name);
        end = member->offset + member->size;
        cr_expect(!is_last || end == member->structure_size, "a hole after %s.%s", member->structure, member->name);
    }
}

/* What a release shipped is frozen: the ledger begins with it, line by line. */
static void expect_grew_since(const char *release) {
    static struct ledger released;
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s/layout.ledger", MUSEUM, release);
    ledger_read(path, &released);
    cr_assert_leq(released.count, ledger.count, "lines were removed from the ledger");
    for (size_t i = 0; i < released.count; i++) {
        cr_expect_str_eq(ledger.lines[i], released.lines[i], "a line of %s was altered or moved", release);
    }
}

Test(layout, ledger_only_grew_since_1_0) {
    expect_grew_since("1.0");
}

Test(layout, ledger_only_grew_since_1_1) {
    expect_grew_since("1.1");
}
