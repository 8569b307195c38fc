/* tables_test.c: the tables of SPEC.md and the plugin know the same ops and the same configuration, and each op has its
 * worked example. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config.h"
#include "document.h"
#include "es.h"
#include "example.h"

static const char *const VERBS[] = {"store", "query", "dlq", "schema"};
enum { VERB_COUNT = 4, OPS_MAX = 64, OP_SIZE = 64 };

struct ops {
    char names[OPS_MAX][OP_SIZE];
    size_t count;
};

static bool ops_has(const struct ops *ops, const char *name) {
    for (size_t i = 0; i < ops->count; i++) {
        if (strcmp(ops->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void ops_add(struct ops *ops, const char *name) {
    if (!ops_has(ops, name)) {
        cr_assert_lt(ops->count, OPS_MAX);
        snprintf(ops->names[ops->count++], OP_SIZE, "%s", name);
    }
}

/* "append, batch.create" */
static void ops_add_list(struct ops *ops, const char *list) {
    char name[OP_SIZE];
    int used = 0;
    while (sscanf(list, " %63[a-z_.]%n", name, &used) == 1) {
        ops_add(ops, name);
        list += used;
        list += strspn(list, ", ");
    }
}

static void value_done(json_t **value) {
    json_decref(*value);
}

/* The ops of a verb's section "## 5 store": its headings "### append, batch.create", and the rows of tables whose first
 * column is "op". */
static struct ops ops_of_tables(const struct document *document, const char *verb) {
    struct ops ops = {0};
    bool in_section = false, in_table = false;
    char code[OP_SIZE];
    for (size_t i = 0; i < document->count; i++) {
        const struct part *part = &document->parts[i];
        if (part->kind == PART_HEADING && part->level == 2) {
            const char *space = strchr(part->text, ' ');
            in_section = space != NULL && strcmp(space + 1, verb) == 0;
        }
        if (!in_section) {
            continue;
        }
        if (part->kind == PART_HEADING && part->level == 3) {
            ops_add_list(&ops, part->text);
        } else if (part->kind == PART_ROW && (i == 0 || document->parts[i - 1].kind != PART_ROW ||
                                              document->parts[i - 1].line + 1 != part->line)) {
            in_table = strcmp(part->cells[0], "op") == 0;
        } else if (part->kind == PART_ROW && in_table) {
            cell_code(part->cells[0], code, sizeof code);
            if (code[0] != '\0') {
                ops_add(&ops, code);
            }
        }
    }
    return ops;
}

/* The ops that have a request followed by a reply that is no error. */
static struct ops ops_of_examples(const struct document *document, const char *verb) {
    struct ops ops = {0};
    for (size_t i = 0; i + 1 < document->count; i++) {
        const struct part *request = &document->parts[i], *reply = &document->parts[i + 1];
        if (request->kind != PART_BLOCK || strcmp(request->words[1], "request") != 0 ||
            strcmp(request->words[2], verb) != 0 || reply->kind != PART_BLOCK ||
            strcmp(reply->words[1], "reply") != 0) {
            continue;
        }
        CLEANUP(value_done) json_t *value = example_parse(request->text, request->line);
        ops_add(&ops, json_string_value(json_object_get(value, "op")));
    }
    return ops;
}

/* What the plugin lists when it is asked for an op that it does not have. */
static struct ops ops_of_plugin(struct es *es, const char *verb) {
    struct ops ops = {0};
    const json_t *reply = es_refused(es, POLARIS_ES_UNSUPPORTED, "/op", "it has: ", verb, "{'op': 'no such op'}");
    ops_add_list(&ops, strstr(es_text(reply, "message"), "it has: ") + strlen("it has: "));
    return ops;
}

static void expect_all(const struct ops *wanted, const struct ops *there, const char *verb, const char *complaint) {
    for (size_t i = 0; i < wanted->count; i++) {
        cr_expect(ops_has(there, wanted->names[i]), "%s %s %s", verb, wanted->names[i], complaint);
    }
}

Test(spec, every_op_of_the_tables_has_a_worked_request_and_reply) {
    CLEANUP(document_done) struct document document = document_read(SPEC_PATH);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        struct ops tables = ops_of_tables(&document, VERBS[i]);
        struct ops examples = ops_of_examples(&document, VERBS[i]);
        cr_expect_gt(tables.count, 4, "SPEC.md has %zu ops of %s", tables.count, VERBS[i]);
        expect_all(&tables, &examples, VERBS[i], "has no worked request and reply in SPEC.md");
    }
}

Test(spec, tables_and_plugin_know_the_same_ops) {
    CLEANUP(document_done) struct document document = document_read(SPEC_PATH);
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        struct ops tables = ops_of_tables(&document, VERBS[i]);
        struct ops plugin = ops_of_plugin(es, VERBS[i]);
        expect_all(&tables, &plugin, VERBS[i], "stands in SPEC.md, and the plugin does not have it");
        expect_all(&plugin, &tables, VERBS[i], "is an op of the plugin that SPEC.md does not have");
    }
    es_close(es);
}

/* ---- configuration ---- */

struct number_key {
    const char *name;
    int64_t initial, min, max;
    bool documented;
};

/* "5", "2^48", "2^63−1" */
static int64_t read_number(const char *text, const char **ret_end) {
    char *end = NULL;
    errno = 0;
    int64_t number = strtoll(text, &end, 10);
    if (*end == '^') {
        long exponent = strtol(end + 1, &end, 10);
        number = exponent == 63 ? INT64_MAX : INT64_C(1) << exponent; /* only "2^63−1" can stand for 63 */
    }
    cr_assert(errno == 0 && end != text, "'%s' does not begin with a number", text);
    *ret_end = end;
    return number;
}

/* Keys that are no whole numbers, and their defaults as SPEC.md writes them. */
static const struct {
    const char *name, *initial;
} OTHER_KEYS[] = {
    {"path", "required"},         {"mode", "`\"write\"`"}, {"create", "true"},
    {"durability", "`\"full\"`"}, {"owner", "`\"\"`"},     {"types", "any"},
    {"retry_factor", "2"},        {"retry_jitter", "0.1"}, {"hide_values", "false"},
};
enum { OTHER_KEY_COUNT = sizeof OTHER_KEYS / sizeof OTHER_KEYS[0] };

static bool check_other_key(const char *name, const struct part *row) {
    for (size_t i = 0; i < OTHER_KEY_COUNT; i++) {
        if (strcmp(OTHER_KEYS[i].name, name) == 0) {
            cr_expect_str_eq(row->cells[2], OTHER_KEYS[i].initial, "SPEC.md:%d: the default of %s", row->line, name);
            return true;
        }
    }
    return false;
}

static bool check_number_key(struct number_key *keys, size_t count, const char *name, const struct part *row) {
    for (size_t i = 0; i < count; i++) {
        struct number_key *key = &keys[i];
        if (strcmp(key->name, name) != 0) {
            continue;
        }
        const char *rest = NULL;
        cr_expect_eq(read_number(row->cells[2], &rest), key->initial, "SPEC.md:%d: the default of %s", row->line, name);
        cr_expect_eq(read_number(row->cells[3], &rest), key->min, "SPEC.md:%d: the least of %s", row->line, name);
        rest = strstr(rest, "to ");
        cr_assert_not_null(rest, "SPEC.md:%d: the range of %s has no end", row->line, name);
        cr_expect_eq(read_number(rest + 3, &rest), key->max, "SPEC.md:%d: the most of %s", row->line, name);
        key->documented = true;
        return true;
    }
    return false;
}

Test(spec, every_configuration_key_stands_with_its_default_and_range) {
    CLEANUP(document_done) struct document document = document_read(SPEC_PATH);
#define KEY(key, initial, min, max) {#key, initial, min, max, false},
    struct number_key keys[] = {CONFIG_NUMBERS(KEY)};
#undef KEY
    enum { KEY_COUNT = sizeof keys / sizeof keys[0] };
    size_t rows = 0;
    bool in_table = false;
    for (size_t i = 0; i < document.count; i++) {
        const struct part *part = &document.parts[i];
        if (part->kind != PART_ROW) {
            in_table = false;
            continue;
        }
        char name[64];
        cell_code(part->cells[0], name, sizeof name);
        if (strcmp(part->cells[0], "key") == 0) {
            in_table = true;
        } else if (in_table && name[0] != '\0') {
            rows++;
            cr_expect(check_number_key(keys, KEY_COUNT, name, part) || check_other_key(name, part),
                      "SPEC.md:%d: the plugin has no key %s", part->line, name);
        }
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        cr_expect(keys[i].documented, "SPEC.md does not have the key %s", keys[i].name);
    }
    cr_expect_eq(rows, KEY_COUNT + OTHER_KEY_COUNT);
}
