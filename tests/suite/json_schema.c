/* json_schema.c: every case of the JSON Schema Test Suite, in several encodings, through all evaluators.
 *
 * Prints what does not come out as the suite says, and how many cases there were; ends with 77, skipped, where the
 * suite is not there. */
#include "encoding.h"

#include "validate/validate.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SKIPPED = 77, REMOTES_MAX = 64, CASES_2020_12 = 1299, CASES_DRAFT_07 = 927 };

/* Cases that are known to fail: "draft/file: group: case". There are none. */
static const char *const EXCEPTIONS[] = {NULL};

static const struct wire_limits LIMITS = {.size_max = 64 << 20, .depth_max = 512};

struct packed {
    struct buffer bytes;
    struct wire_document document;
};

static struct {
    uint32_t count;
    char *uris[REMOTES_MAX];
    struct packed packed[REMOTES_MAX];
} remotes;

static unsigned cases;
static unsigned failures;

static void packed_done(struct packed *packed) {
    wire_document_done(&packed->document);
    buffer_done(&packed->bytes);
}

static void pack(const json_t *value, enum encoding encoding, struct packed *ret) {
    struct error error;
    encode(value, encoding, &ret->bytes);
    if (wire_document_parse(&ret->document, buffer_view(&ret->bytes), &LIMITS, &error) != OK) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
}

static json_t *load(const char *path) {
    json_error_t reason;
    json_t *value = json_load_file(path, JSON_DECODE_ANY | JSON_ALLOW_NUL, &reason);
    if (value == NULL) {
        fprintf(stderr, "%s: %s\n", path, reason.text);
        abort();
    }
    return value;
}

static int add_remote(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)walk;
    static const char FOLDER[] = SUITE_FOLDER "/remotes/";
    if (type != FTW_F || strstr(path, ".json") == NULL) {
        return 0;
    }
    if (remotes.count == REMOTES_MAX ||
        asprintf(&remotes.uris[remotes.count], "http://localhost:1234/%s", path + sizeof FOLDER - 1) < 0) {
        abort();
    }
    json_t *value = load(path);
    pack(value, ENCODING_MINIMAL, &remotes.packed[remotes.count++]);
    json_decref(value);
    return 0;
}

static void report(const char *where, const char *group, const char *name, const char *how, const char *what) {
    char id[1024];
    snprintf(id, sizeof id, "%s: %s: %s", where, group, name);
    for (size_t i = 0; EXCEPTIONS[i] != NULL; i++) {
        if (strcmp(EXCEPTIONS[i], id) == 0) {
            return;
        }
    }
    failures++;
    printf("%s (%s): %s\n", id, how, what);
}

/* A case under one encoding; NULL: as the suite says. */
static const char *check(const struct validate_program *program, struct validate_context *context, const json_t *test,
                         enum encoding encoding, struct error *error) {
    CLEANUP(packed_done) struct packed payload = {0};
    CLEANUP(validate_report_done) struct validate_report failed = {0};
    pack(json_object_get(test, "data"), encoding, &payload);
    struct wire_value root = {&payload.document, 0};
    bool wanted = json_is_true(json_object_get(test, "valid"));
    bool valid = !wanted;
    if (validate_run(program, context, root, &valid, error) != OK) {
        return error->message;
    }
    bool explained = !valid;
    if (validate_explain(program, context, root, &explained, &failed, error) != OK) {
        return error->message;
    }
    if (valid != wanted) {
        return valid ? "valid, should be invalid" : "invalid, should be valid";
    }
    if (explained != valid) {
        return "the explaining evaluator disagrees";
    }
    return valid == (failed.count == 0) ? NULL : "the report does not fit the verdict";
}

static void run_group(const char *where, const json_t *group, enum validate_dialect draft, enum encoding encoding) {
    struct validate_document documents[REMOTES_MAX];
    struct validate_options options;
    struct error error;
    CLEANUP(packed_done) struct packed schema = {0};
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    CLEANUP(validate_context_freep) struct validate_context *context = validate_context_new(1);
    const char *name = json_string_value(json_object_get(group, "description"));
    validate_options_init(&options);
    options.default_dialect = draft;
    const char *other = draft == VALIDATE_2020_12 ? ":1234/draft7/" : ":1234/draft2020-12/";
    for (uint32_t i = 0; i < remotes.count; i++) {
        if (strstr(remotes.uris[i], other) == NULL) { /* the other draft's are no schemas of this one */
            documents[options.document_count++] = (struct validate_document){.uri = bytes_from_string(remotes.uris[i]),
                                                                             .root = {&remotes.packed[i].document, 0}};
        }
    }
    options.documents = documents;
    pack(json_object_get(group, "schema"), encoding, &schema);
    enum status status = validate_compile((struct wire_value){&schema.document, 0}, &options, &program, NULL, &error);
    if (status != OK) {
        report(where, name, "schema", encoding_name(encoding), error.message);
    }
    const json_t *tests = json_object_get(group, "tests");
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        cases += encoding == ENCODING_MINIMAL;
        const char *wrong = status == OK ? check(program, context, test, encoding, &error) : "not run";
        if (wrong != NULL) {
            const char *what = json_string_value(json_object_get(test, "description"));
            report(where, name, what, encoding_name(encoding), wrong);
        }
    }
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool run_draft(const char *folder, enum validate_dialect draft, unsigned wanted) {
    char path[4096];
    struct dirent **names;
    snprintf(path, sizeof path, "%s/tests/%s", SUITE_FOLDER, folder);
    int count = scandir(path, &names, NULL, by_name);
    unsigned before = cases;
    for (int i = 0; i < count; i++) {
        if (strstr(names[i]->d_name, ".json") != NULL) {
            char where[512];
            snprintf(path, sizeof path, "%s/tests/%s/%s", SUITE_FOLDER, folder, names[i]->d_name);
            snprintf(where, sizeof where, "%s/%s", folder, names[i]->d_name);
            json_t *groups = load(path);
            for (size_t group = 0; group < json_array_size(groups); group++) {
                for (int encoding = 0; encoding < ENCODING_COUNT; encoding++) {
                    run_group(where, json_array_get(groups, group), draft, (enum encoding)encoding);
                }
            }
            json_decref(groups);
        }
        free(names[i]);
    }
    free(names);
    printf("%s: %u cases in %d encodings, %u should be there\n", folder, cases - before, ENCODING_COUNT, wanted);
    return cases - before == wanted;
}

int main(void) {
    struct stat status;
    if (stat(SUITE_FOLDER, &status) != 0) {
        printf("skipped: %s is not there\n", SUITE_FOLDER);
        return SKIPPED;
    }
    nftw(SUITE_FOLDER "/remotes", add_remote, 8, FTW_PHYS);
    bool complete = run_draft("draft2020-12", VALIDATE_2020_12, CASES_2020_12);
    complete = run_draft("draft7", VALIDATE_DRAFT_07, CASES_DRAFT_07) && complete;
    for (uint32_t i = 0; i < remotes.count; i++) {
        packed_done(&remotes.packed[i]);
        free(remotes.uris[i]);
    }
    printf("%u failures\n", failures);
    return complete && failures == 0 ? 0 : 1;
}
