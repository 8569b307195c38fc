/* negotiation.c: the entry: who speaks which revision, and the sizes of what crosses there. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/fence.h"
#include "check/trial.h"

enum { HELLO_SIZE = sizeof(polaris_es_hello), WELCOME_SIZE = sizeof(polaris_es_welcome), ROOM = SIZE_LIMIT + 8 };

/* Where the bytes begin that no build can know: behind what this host knows; a build of a newer minor knows more, but
 * not all that a struct may have. */
static size_t unknown_begin(const struct trial *trial, size_t known) {
    return trial_is_newer(trial) ? SIZE_LIMIT - 8 : known;
}

static polaris_es_hello hello(void) {
    return (polaris_es_hello){.size = sizeof(polaris_es_hello),
                              .major_min = POLARIS_ES_ABI_MAJOR,
                              .major_max = POLARIS_ES_ABI_MAJOR,
                              .minor = POLARIS_ES_ABI_MINOR,
                              .host_name = "the check",
                              .host_version = "1"};
}

/* Greets with a hello of `size` bytes that ends at a fence; byte `mark` of it (0: none) is 1. */
static int32_t greet_sized(const struct trial *trial, uint32_t size, size_t mark, polaris_es_welcome *out) {
    uint8_t bytes[ROOM] = {0};
    polaris_es_hello in = hello();
    in.size = size;
    memcpy(bytes, &in, sizeof in);
    if (mark > 0) {
        bytes[mark] = 1;
    }
    /* The size itself can always be read. */
    struct fence fence = fence_new(bytes, size < 8 ? 8 : size < ROOM ? (size + 7) / 8 * 8 : ROOM);
    *out = (polaris_es_welcome){.size = sizeof *out};
    doing("the entry, with a hello of %u bytes", size);
    return trial->entry((const polaris_es_hello *)(void *)fence.data, out);
}

static void expect_refusal(int32_t status, int32_t expected, const polaris_es_welcome *out, const char *what) {
    REQUIRE(status == expected, "%s: the entry answered %s, not %s", what, answer_name(status), answer_name(expected));
    REQUIRE(out->table == NULL && out->major == 0, "%s is refused, but a table or a major was given", what);
    REQUIRE(out->reason[0] != '\0', "%s is refused without a reason", what);
    REQUIRE(memchr(out->reason, '\0', sizeof out->reason) != NULL, "%s: the reason has no end", what);
}

static void expect_welcome(int32_t status, const polaris_es_welcome *out, const char *what) {
    REQUIRE(status == POLARIS_ES_OK, "%s: the entry answered %s: %.256s", what, answer_name(status), out->reason);
    REQUIRE(out->table != NULL && out->major == POLARIS_ES_ABI_MAJOR, "%s: OK, but without table or major", what);
}

static void same_answer(struct trial *trial) {
    REQUIRE(chdir(trial->folder) == 0, "the folder of the check is gone");
    size_t files = trial_entries(".");
    size_t descriptors = trial_entries("/proc/self/fd");
    size_t threads = trial_entries("/proc/self/task");
    for (int i = 0; i < 100; i++) {
        polaris_es_welcome out;
        expect_welcome(greet_sized(trial, HELLO_SIZE, 0, &out), &out, "greeting it again");
        REQUIRE(out.table == trial->table, "another greeting gave another table");
    }
    REQUIRE(trial_entries(".") == files, "a greeting made a file in the host's folder");
    REQUIRE(trial_entries("/proc/self/fd") == descriptors, "a greeting opened a descriptor");
    REQUIRE(trial_entries("/proc/self/task") == threads, "a greeting started a thread");
}

static void *greet_often(void *context) {
    const struct trial *trial = context;
    for (int i = 0; i < 1000; i++) {
        const polaris_es_hello in = hello();
        polaris_es_descriptor descriptor = {.size = sizeof descriptor};
        polaris_es_welcome out = {.size = sizeof out, .descriptor = &descriptor};
        int32_t status = trial->entry(&in, &out);
        expect_welcome(status, &out, "greeting it from many threads");
        REQUIRE(out.table == trial->table, "greeting it from many threads gave another table");
    }
    return NULL;
}

static void many_threads(struct trial *trial) {
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, greet_often, trial) == 0, "the check has no thread");
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

static void missing_structs(struct trial *trial) {
    const polaris_es_hello in = hello();
    polaris_es_welcome out = {.size = sizeof out};
    doing("the entry, without a hello");
    int32_t status = trial->entry(NULL, &out);
    expect_refusal(status, POLARIS_ES_INVALID, &out, "no hello");
    doing("the entry, without a welcome");
    status = trial->entry(&in, NULL);
    REQUIRE(status == POLARIS_ES_INVALID, "without a welcome the entry answered %s", answer_name(status));
}

static void small_hello(struct trial *trial) {
    static const uint32_t SIZES[] = {0, 4, 8, 16, SIZE_1_0(polaris_es_hello, host_version) - 1};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        polaris_es_welcome out;
        int32_t status = greet_sized(trial, SIZES[i], 0, &out);
        expect_refusal(status, POLARIS_ES_INVALID, &out, "a hello smaller than in 1.0");
    }
}

static void exact_hello(struct trial *trial) {
    polaris_es_welcome out;
    int32_t status = greet_sized(trial, SIZE_1_0(polaris_es_hello, host_version), 0, &out);
    expect_welcome(status, &out, "a hello of 1.0, which ends where nobody may read");
}

static void zero_tail(struct trial *trial) {
    static const uint32_t SIZES[] = {HELLO_SIZE + 8, HELLO_SIZE + 64, 4096};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        polaris_es_welcome out;
        int32_t status = greet_sized(trial, SIZES[i], 0, &out);
        expect_welcome(status, &out, "a hello with an unknown tail of zeros");
    }
}

static void marked_tail(struct trial *trial) {
    static const size_t MARKS[] = {0, 7, 63, SIZE_LIMIT - HELLO_SIZE - 1}; /* behind what this host knows */
    for (size_t i = trial_is_newer(trial) ? 3 : 0; i < sizeof MARKS / sizeof MARKS[0]; i++) {
        polaris_es_welcome out;
        int32_t status = greet_sized(trial, i < 3 ? HELLO_SIZE + 64 : SIZE_LIMIT, HELLO_SIZE + MARKS[i], &out);
        expect_refusal(status, POLARIS_ES_INVALID, &out, "a hello with a tail that is not zero");
    }
}

static void huge_hello(struct trial *trial) {
    static const uint32_t SIZES[] = {4097, 65536, UINT32_MAX};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        polaris_es_welcome out;
        int32_t status = greet_sized(trial, SIZES[i], 0, &out);
        expect_refusal(status, POLARIS_ES_INVALID, &out, "a hello with a size above 4096");
    }
}

static int32_t greet_majors(const struct trial *trial, uint32_t min, uint32_t max, polaris_es_welcome *out) {
    polaris_es_hello in = hello();
    in.major_min = min;
    in.major_max = max;
    *out = (polaris_es_welcome){.size = sizeof *out};
    doing("the entry, with majors %u to %u", min, max);
    return trial->entry(&in, out);
}

static void other_majors(struct trial *trial) {
    polaris_es_welcome out;
    int32_t status = greet_majors(trial, 1000, 2000, &out);
    expect_refusal(status, POLARIS_ES_INCOMPATIBLE, &out, "a host that speaks majors 1000 to 2000 only");
    status = greet_majors(trial, 0, 0, &out);
    expect_refusal(status, POLARIS_ES_INCOMPATIBLE, &out, "a host that speaks major 0 only");
}

static void highest_major(struct trial *trial) {
    polaris_es_welcome out;
    int32_t status = greet_majors(trial, 0, 1000, &out);
    REQUIRE(status == POLARIS_ES_OK, "a host that speaks majors 0 to 1000 is answered %s", answer_name(status));
    REQUIRE(out.table != NULL && out.major >= trial->plugin->major && out.table->abi_major == out.major,
            "of majors 0 to 1000 it picked %u, of its own major alone it picked %u", out.major, trial->plugin->major);
}

/* A welcome of `size` bytes that ends at a fence: zeroed as far as this host knows it, 0xA5 behind that. */
static struct fence welcome_new(uint32_t size, polaris_es_descriptor *descriptor) {
    struct fence fence = fence_new(NULL, (size + 7) / 8 * 8);
    size_t known = size < WELCOME_SIZE ? size : WELCOME_SIZE;
    memset(fence.data + known, 0xA5, fence.size - known);
    memcpy(fence.data, &size, sizeof size);
    if (size >= SIZE_1_0(polaris_es_welcome, descriptor)) {
        memcpy(fence.data + offsetof(polaris_es_welcome, descriptor), &descriptor, sizeof(void *));
    }
    return fence;
}

static int32_t greet_into(const struct trial *trial, uint32_t minor, struct fence *welcome) {
    polaris_es_hello in = hello();
    uint32_t size;
    in.minor = minor;
    memcpy(&size, welcome->data, sizeof size);
    doing("the entry, with a welcome of %u bytes", size);
    return trial->entry(&in, (polaris_es_welcome *)(void *)welcome->data);
}

static void exact_welcome(struct trial *trial) {
    struct fence fence = welcome_new(SIZE_1_0(polaris_es_welcome, reason), NULL);
    int32_t status = greet_into(trial, 0, &fence);
    const polaris_es_welcome *out = (const polaris_es_welcome *)(void *)fence.data;
    expect_welcome(status, out, "a welcome of 1.0, which ends where nobody may write");
}

static void small_welcome(struct trial *trial) {
    static const uint32_t SIZES[] = {4, 8, 16, 32, 40, SIZE_1_0(polaris_es_welcome, reason) - 8};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        struct fence fence = welcome_new(SIZES[i], NULL);
        int32_t status = greet_into(trial, POLARIS_ES_ABI_MINOR, &fence);
        REQUIRE(status == POLARIS_ES_INVALID, "a welcome of %u bytes is answered %s, not INVALID", SIZES[i],
                answer_name(status));
        for (size_t at = SIZES[i]; at < fence.size; at++) {
            REQUIRE(fence.data[at] == 0xA5, "it wrote to offset %zu of a welcome of %u bytes", at, SIZES[i]);
        }
    }
}

static void larger_welcome(struct trial *trial) {
    struct fence fence = welcome_new(SIZE_LIMIT, NULL);
    int32_t status = greet_into(trial, POLARIS_ES_ABI_MINOR, &fence);
    expect_welcome(status, (const polaris_es_welcome *)(void *)fence.data, "a welcome larger than it knows");
    for (size_t at = unknown_begin(trial, WELCOME_SIZE); at < fence.size; at++) {
        REQUIRE(fence.data[at] == 0, "the tail of a larger welcome is not filled with zeros, at offset %zu", at);
    }
}

static void huge_welcome(struct trial *trial) {
    struct fence fence = welcome_new(WELCOME_SIZE, NULL);
    const uint32_t size = 65536; /* far behind the fence */
    memcpy(fence.data, &size, sizeof size);
    int32_t status = greet_into(trial, POLARIS_ES_ABI_MINOR, &fence);
    REQUIRE(status == POLARIS_ES_INVALID, "a welcome with a size above 4096 is answered %s, not INVALID",
            answer_name(status));
}

/* A descriptor of `size` bytes that ends at a fence. */
static struct fence describe(const struct trial *trial, uint32_t size) {
    struct fence fence = fence_new(NULL, size);
    memset(fence.data, 0xA5, size);
    memcpy(fence.data, &size, sizeof size);
    struct fence welcome = welcome_new(WELCOME_SIZE, (polaris_es_descriptor *)(void *)fence.data);
    int32_t status = greet_into(trial, POLARIS_ES_ABI_MINOR, &welcome);
    expect_welcome(status, (const polaris_es_welcome *)(void *)welcome.data, "a host with a descriptor");
    return fence;
}

static void exact_descriptor(struct trial *trial) {
    (void)describe(trial, SIZE_1_0(polaris_es_descriptor, build_id));
}

static void larger_descriptor(struct trial *trial) {
    struct fence fence = describe(trial, SIZE_LIMIT);
    for (size_t at = unknown_begin(trial, sizeof(polaris_es_descriptor)); at < fence.size; at++) {
        REQUIRE(fence.data[at] == 0, "the tail of a larger descriptor is not filled with zeros, at offset %zu", at);
    }
}

/* The loader ends them where their room ends. */
static void expect_ends_of_strings(const struct trial *trial) {
    const polaris_es_hello in = hello();
    polaris_es_descriptor descriptor = {.size = sizeof descriptor};
    polaris_es_welcome out = {.size = sizeof out, .descriptor = &descriptor};
    doing("the entry, with a descriptor");
    expect_welcome(trial->entry(&in, &out), &out, "a host with a descriptor");
    const struct {
        const char *what, *text;
        size_t size;
    } STRINGS[] = {
        {"the descriptor's id", descriptor.id, sizeof descriptor.id},
        {"the descriptor's version", descriptor.version, sizeof descriptor.version},
        {"the descriptor's build id", descriptor.build_id, sizeof descriptor.build_id},
        {"the welcome's reason", out.reason, sizeof out.reason},
    };
    for (size_t i = 0; i < sizeof STRINGS / sizeof STRINGS[0]; i++) {
        REQUIRE(memchr(STRINGS[i].text, '\0', STRINGS[i].size) != NULL, "%s does not end with a NUL in its %zu bytes",
                STRINGS[i].what, STRINGS[i].size);
    }
}

static void says_who_it_is(struct trial *trial) {
    expect_ends_of_strings(trial);
    const polaris_es_table *table = trial->table;
    const polaris_es_descriptor *descriptor = &trial->plugin->descriptor;
    REQUIRE(table->name[0] != '\0' && table->version[0] != '\0' && table->build_id[0] != '\0',
            "name, version or build_id of the table is empty");
    REQUIRE(table->reserved == 0, "the table's reserved is %u", table->reserved);
    REQUIRE(table->abi_minor == trial->plugin->minor, "the welcome says minor %u, the table %u", trial->plugin->minor,
            table->abi_minor);
    REQUIRE(descriptor->id[0] != '\0', "the descriptor has no id");
    REQUIRE(strcmp(descriptor->build_id, table->build_id) == 0,
            "the build id is '%s' in the descriptor, '%s' in the "
            "table",
            descriptor->build_id, table->build_id);
    REQUIRE(descriptor->format_read_min <= descriptor->format_read_max &&
                descriptor->format_write <= descriptor->format_read_max,
            "it reads formats %u to %u, and writes %u: what it wrote it could not read again",
            descriptor->format_read_min, descriptor->format_read_max, descriptor->format_write);
    REQUIRE(descriptor->sqlite_linkage <= POLARIS_ES_SQLITE_PRIVATE || trial_is_newer(trial),
            "the descriptor's sqlite_linkage is %u, which no revision has", descriptor->sqlite_linkage);
    REQUIRE((descriptor->sqlite_version_number == 0) == (descriptor->sqlite_linkage == POLARIS_ES_SQLITE_NONE),
            "the descriptor has the SQLite version %u, linked in the way %u: one of both says that there is none",
            descriptor->sqlite_version_number, descriptor->sqlite_linkage);
}

static void bits_have_slots(struct trial *trial) {
    bool says = (trial->table->capabilities & POLARIS_ES_CAN_SUBMIT) != 0;
    bool submit = plugin_has(trial->plugin, offsetof(polaris_es_table, submit));
    bool cancel = plugin_has(trial->plugin, offsetof(polaris_es_table, cancel));
    REQUIRE(says == submit && says == cancel, "the bit CAN_SUBMIT is %s, submit is %s, cancel is %s",
            says ? "set" : "not set", submit ? "there" : "NULL", cancel ? "there" : "NULL");
    REQUIRE(trial->plugin->minor >= 1 || trial->table->capabilities < POLARIS_ES_CAN_SUBMIT,
            "a build of revision 1.0 has capability bits of later ones: %#llx",
            (unsigned long long)trial->table->capabilities);
}

static void loads(struct trial *trial) {
    (void)trial; /* which was loaded */
}

static const struct check CHECKS[] = {
    CHECK("negotiation/the-build-loads", "loaded from a private copy; its table is whole", 0, loads),
    CHECK("negotiation/says-who-it-is", "names, build id and formats agree wherever they stand", 0, says_who_it_is),
    CHECK("negotiation/capability-bits-have-their-slots", "what a bit promises is there, and the other way round", 0,
          bits_have_slots),
    CHECK("negotiation/is-free-of-side-effects", "any number of greetings, one answer", 0, same_answer),
    CHECK("negotiation/may-be-greeted-by-many-threads", "the entry is for any thread", 0, many_threads),
    CHECK("negotiation/refuses-missing-structs", "no hello, no welcome: INVALID", 0, missing_structs),
    CHECK("negotiation/refuses-a-small-hello", "smaller than in 1.0: INVALID", 0, small_hello),
    CHECK("negotiation/reads-no-byte-past-a-hello-of-1.0", "an old host's struct ends where it says", 0, exact_hello),
    CHECK("negotiation/accepts-a-tail-of-zeros", "a newer host that asks for nothing new", 0, zero_tail),
    CHECK("negotiation/refuses-an-unknown-tail", "a new flag is never silently ignored", 0, marked_tail),
    CHECK("negotiation/refuses-a-hello-above-4096", "garbage for a size is not followed", 0, huge_hello),
    CHECK("negotiation/refuses-other-majors", "INCOMPATIBLE, with a reason and without a table", 0, other_majors),
    CHECK("negotiation/picks-the-highest-common-major", "of the range that the host speaks", 0, highest_major),
    CHECK("negotiation/writes-no-byte-past-a-welcome-of-1.0", "the caller's size bounds outputs", 0, exact_welcome),
    CHECK("negotiation/refuses-a-small-welcome", "smaller than in 1.0: INVALID, and not written beyond", 0,
          small_welcome),
    CHECK("negotiation/zeroes-the-tail-of-a-larger-welcome", "what it does not know reads as zero", 0, larger_welcome),
    CHECK("negotiation/refuses-a-welcome-above-4096", "garbage for a size is not written to", 0, huge_welcome),
    CHECK("negotiation/writes-no-byte-past-a-descriptor-of-1.0", "the caller's size bounds outputs", 0,
          exact_descriptor),
    CHECK("negotiation/zeroes-the-tail-of-a-larger-descriptor", "what it does not know reads as zero", 0,
          larger_descriptor),
};
const struct check_group CHECK_NEGOTIATION = CHECK_GROUP(CHECKS);
