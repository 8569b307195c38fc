/* keys_test.c: what is varied is what SPEC.md has. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

#include "../spec/document.h"
#include "cleanup.h"
#include "requests.h"

static bool varies(const char *key) {
    size_t size = strlen(key);
    for (const char *at = REQUESTS_CONFIG; (at = strstr(at, key)) != NULL; at += size) {
        if ((at == REQUESTS_CONFIG || at[-1] == ' ') && strchr(" :!", at[size]) != NULL) {
            return true;
        }
    }
    return false;
}

Test(keys, of_the_configuration_are_those_of_the_specification) {
    CLEANUP(document_done) struct document document = document_read(SPEC_PATH);
    size_t documented = 0;
    bool in_table = false;
    for (size_t i = 0; i < document.count; i++) {
        const struct part *part = &document.parts[i];
        char name[64] = "";
        if (part->kind != PART_ROW) {
            in_table = false;
        } else if (strcmp(part->cells[0], "key") == 0) {
            in_table = true;
        } else if (in_table) {
            cell_code(part->cells[0], name, sizeof name);
        }
        if (name[0] != '\0') {
            documented++;
            cr_expect(varies(name), "SPEC.md:%d: %s is never varied", part->line, name);
        }
    }
    size_t varied = 1;
    for (const char *at = REQUESTS_CONFIG; (at = strchr(at, ' ')) != NULL; at++) {
        varied++;
    }
    cr_expect_eq(varied, documented, "%zu keys are varied, SPEC.md has %zu", varied, documented);
}
