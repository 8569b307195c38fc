/* Seeds: the marks of keys that a program and the tapes it takes share. */
#include "support.h"

#include "validate/program.h"
#include "wire/shape.h"

#include <stdio.h>

enum { CHOSEN = 40, TEXT_ROOM = 32 };

static const uint64_t SEEDS[] = {0, 1, 2, UINT64_C(0x8000000000000000), UINT64_C(0x123456789ABCDEF0), UINT64_MAX};
enum { SEED_COUNT = sizeof SEEDS / sizeof SEEDS[0] };

static void compile_seeded(struct subject *subject, const char *schema, uint64_t seed) {
    subject_init(subject);
    subject->options.seed = seed;
    cr_assert_eq(subject_compile(subject, schema), OK, "%s", subject->error.message);
}

static bool judge_seeded(struct subject *subject, const char *payload) {
    CLEANUP(json_done) struct json instance;
    bool valid = false;
    json_open_seeded(&instance, payload, subject->options.seed);
    cr_assert_eq(subject_run(subject, json_root(&instance), &valid), OK, "%s", subject->error.message);
    return valid;
}

Test(validate_seed, no_verdict_hangs_on_it) {
    static const struct {
        const char *schema, *payload;
        bool valid;
    } CASES[] = {
        {"{'properties': {'a': {'type': 'integer'}, 'b': {}}, 'required': ['b']}", "{'b': null, 'a': 1}", true},
        {"{'properties': {'a': {'type': 'integer'}, 'b': {}}, 'required': ['b']}", "{'a': 1}", false},
        {"{'properties': {'a': {'type': 'integer'}}, 'additionalProperties': false}", "{'a': 1, 'b': 1}", false},
        {"{'enum': ['x', 'a text of more than sixteen bytes', 3, [1]]}", "'a text of more than sixteen bytes'", true},
        {"{'enum': ['x', 'a text of more than sixteen bytes', 3, [1]]}", "'a text of more than sixteen bytez'", false},
        {"{'enum': ['x', 'a text of more than sixteen bytes', 3, [1]]}", "[1]", true},
        {"{'enum': ['x', 'a text of more than sixteen bytes', 3, [1]]}", "3.0", true},
        {"{'dependentRequired': {'a': ['b', 'c']}}", "{'a': 1, 'b': 2}", false},
        {"{'dependentSchemas': {'a': {'required': ['b']}}}", "{'a': 1, 'b': 2}", true},
        {"{'unevaluatedProperties': false, 'anyOf': [{'properties': {'a': {}}}, {'properties': {'b': {}}}]}",
         "{'a': 1, 'b': 2}", true},
        {"{'uniqueItems': true}", "[1, 2, 3, 4, 5, 6, {'a': 1, 'b': 2}, {'b': 2, 'a': 1}]", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        for (size_t seed = 0; seed < SEED_COUNT; seed++) {
            CLEANUP(subject_done) struct subject subject;
            compile_seeded(&subject, CASES[i].schema, SEEDS[seed]);
            cr_expect_eq(judge_seeded(&subject, CASES[i].payload), CASES[i].valid, "%s under seed %zu",
                         CASES[i].payload, seed);
        }
    }
}

Test(validate_seed, a_tape_of_another_seed_is_refused) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json instance;
    bool valid = true;
    compile_seeded(&subject, "{'properties': {'a': false}}", 1);
    json_open_seeded(&instance, "{'a': 1}", 2);

    cr_expect_eq(validate_run(subject.program, subject.context, json_root(&instance), &valid, &subject.error),
                 INTERNAL);
    cr_expect_eq(validate_explain(subject.program, subject.context, json_root(&instance), &valid, &subject.report,
                                  &subject.error),
                 INTERNAL);
    cr_expect(valid, "nothing was said");
}

/* Keys that have one mark under the seed, as somebody would choose them who knows it. */
static void choose_keys(uint64_t seed, char keys[CHOSEN][TEXT_ROOM]) {
    struct wire_mark_keys marks = wire_mark_keys(seed);
    uint16_t wanted = wire_text_mark(bytes_from_string("x"), marks);
    for (uint32_t n = 0, found = 0; found < CHOSEN; n++) {
        (void)snprintf(keys[found], TEXT_ROOM, n % 2 == 0 ? "k%x" : "%016x%08x", n, n);
        found += wire_text_mark(bytes_from_string(keys[found]), marks) == wanted;
    }
}

/* An object of the keys, each with the value; NUL-terminated. */
static const char *object_of(struct buffer *text, char keys[CHOSEN][TEXT_ROOM], const char *value) {
    for (int i = 0; i < CHOSEN; i++) {
        (void)printed(text, "%s'%s': %s", i == 0 ? "{" : ", ", keys[i], value);
    }
    return printed(text, "}");
}

/* The most slots that finding one of the table's keys looks at. */
static uint32_t slots_looked_at(const struct validate_program *program, const struct key_table *table) {
    struct program_view view;
    program_view_init(&view, program);
    struct wire_mark_keys marks = wire_mark_keys(program->seed);
    uint32_t most = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const struct key *key = &view.keys[table->first + i];
        struct bytes name = program_text(&view, key->text, key->size);
        uint32_t slot = key_place(table, name, wire_text_mark(name, marks)).slot;
        uint32_t looks = 1;
        for (; view.slots[table->slots + slot] != i + 1; slot = (slot + 1) & table->mask) {
            looks++;
        }
        most = looks > most ? looks : most;
    }
    return most;
}

Test(validate_seed, keys_chosen_to_collide_cost_no_more_than_others) {
    static char keys[CHOSEN][TEXT_ROOM];
    choose_keys(SEEDS[1], keys);
    CLEANUP(buffer_done) struct buffer properties = {0};
    CLEANUP(buffer_done) struct buffer schema = {0};
    CLEANUP(buffer_done) struct buffer payload = {0};
    (void)printed(&schema, "{'properties': %s, 'additionalProperties': false}",
                  object_of(&properties, keys, "{'type': 'integer'}"));
    (void)object_of(&payload, keys, "1");
    uint64_t steps[SEED_COUNT];
    for (size_t seed = 0; seed < SEED_COUNT; seed++) {
        CLEANUP(subject_done) struct subject subject;
        compile_seeded(&subject, (const char *)schema.data, SEEDS[seed]);
        cr_expect(judge_seeded(&subject, (const char *)payload.data), "under seed %zu", seed);
        steps[seed] = validate_context_steps(subject.context);
        cr_expect_eq(steps[seed], steps[0]);

        struct program_view view;
        program_view_init(&view, subject.program);
        for (uint32_t i = 0; i < subject.program->counts[SECTION_tables]; i++) {
            /* Where all have one mark the names are hashed again. */
            cr_expect_eq(view.tables[i].shift == 0, seed == 1, "under seed %zu", seed);
            cr_expect_leq(slots_looked_at(subject.program, &view.tables[i]), 9, "under seed %zu", seed);
        }
    }
}
