/* trial.c: the loaded build, its store, and calls. */
#include "check/trial.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/pattern.h"
#include "message/message.h"
#include "owned.h"
#include "text.h"

static const struct {
    const char *name;
    bool retryable;
} STATUSES[POLARIS_ES_STATUS_COUNT] = {
#define STATUS(name, number, retryable, meaning) [number] = {#name, (retryable) != 0},
    POLARIS_ES_STATUSES(STATUS)
#undef STATUS
};

const char *answer_name(int32_t status) {
    static _Thread_local char text[32];
    if (status >= 0 && status < POLARIS_ES_STATUS_COUNT) {
        return STATUSES[status].name;
    }
    (void)snprintf(text, sizeof text, "status %" PRId32, status);
    return text;
}

/* ---- the services ---- */

/* A call that must not come any more is counted, and the one that looks is the check. */
static struct services *enter(void *context) {
    struct services *services = context;
    if (atomic_load(&services->over)) {
        (void)atomic_fetch_add(&services->late, 1);
    }
    return services;
}

/* UTF-8, with neither a line's end nor a NUL in it, and something. */
static bool is_line(polaris_bytes line) {
    bool good = line.data != NULL && line.size > 0;
    for (uint64_t i = 0, size = 0; good && i < line.size; i += size) {
        unsigned char at[5] = {0};
        memcpy(at, line.data + i, line.size - i < 4 ? line.size - i : 4);
        size = text_character_size(at);
        good = size > 0 && at[0] != '\n' && at[0] != '\0';
    }
    return good;
}

static void take_line(void *context, int32_t level, polaris_bytes line) {
    struct services *services = enter(context);
    bool good = level >= POLARIS_ES_LOG_DEBUG && level <= POLARIS_ES_LOG_ERROR && is_line(line);
    (void)atomic_fetch_add(&services->bad_lines, good ? 0 : 1);
    (void)atomic_fetch_add(&services->logs, 1);
}

static int64_t tell_time(void *context) {
    struct services *services = enter(context);
    (void)atomic_fetch_add(&services->clocks, 1);
    return atomic_load(&services->now_us);
}

static void take_wake(void *context, int64_t last_id) {
    struct services *services = enter(context);
    if (atomic_exchange(&services->woken, last_id) > last_id) {
        (void)atomic_fetch_add(&services->disorder, 1);
    }
    (void)atomic_fetch_add(&services->wakes, 1);
}

polaris_es_services trial_services(struct trial *trial) {
    return (polaris_es_services){
        .size = sizeof(polaris_es_services),
        .context = &trial->services,
        .log = take_line,
        .now_us = tell_time,
        .wake = take_wake,
    };
}

/* ---- loading and opening ---- */

void trial_load(struct trial *trial) {
    struct failure failure;
    enum loader_refusal refusal = LOADER_OK;
    doing("load and greet it");
    if (!loader_load(trial->plugin_path, &trial->loader, &trial->plugin, &refusal, &failure)) {
        bool of_its_file = refusal <= LOADER_WRONG_ARCHITECTURE;
        if (of_its_file) {
            refused("%s", failure.message);
        }
        finding("%s", failure.message);
    }
    trial->table = trial->plugin->table;
    void *symbol = dlsym(trial->plugin->handle, POLARIS_ES_ENTRY_SYMBOL);
    memcpy(&trial->entry, &symbol, sizeof symbol); /* ISO C knows no cast from an object to a function */
}

void trial_init(struct trial *trial) {
    atomic_store(&trial->services.now_us, TRIAL_START_US);
    trial->names = json_object();
    REQUIRE(trial->names != NULL, "the check has no memory");
    (void)snprintf(trial->path, sizeof trial->path, "%s/events.db", trial->folder);
    trial_load(trial);
}

bool trial_is_newer(const struct trial *trial) {
    return trial->plugin->minor > POLARIS_ES_ABI_MINOR;
}

void packed_done(struct packed *packed) {
    free(packed->data);
    packed->data = NULL;
}

static struct packed pack(const json_t *value) {
    struct packed result = {0};
    struct failure failure;
    REQUIRE(message_pack(value, &result.data, &result.size, &failure), "a defect of the check: %s", failure.message);
    return result;
}

__attribute__((format(printf, 1, 0))) static char *print(const char *format, va_list args) {
    char *text = NULL;
    REQUIRE(vasprintf(&text, format, args) >= 0, "the check has no memory");
    return text;
}

struct packed packed(const char *format, ...) {
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = print(format, args);
    va_end(args);
    json_auto_t *value = pattern_parse(text);
    return pack(value);
}

struct packed trial_config(const struct trial *trial, const char *config) {
    json_auto_t *map =
        json_pack("{s: s, s: s, s: s}", "path", trial->path, "owner", "the check", "durability", "normal");
    json_auto_t *more = pattern_parse(config != NULL ? config : "{}");
    REQUIRE(map != NULL && json_object_update(map, more) == 0, "the check has no memory");
    return pack(map);
}

/* For the next call. A plugin that writes to it when the call has returned finds it as it was left, for some calls:
 * what comes late does not get into the reply of another one. */
static struct answer *next_answer(void) {
    static struct answer answers[32];
    static size_t calls;
    struct answer *answer = &answers[calls++ % (sizeof answers / sizeof answers[0])];
    answer_init(answer);
    return answer;
}

/* Keeps the reply of a call that returned. */
static void keep(struct trial *trial, struct answer *answer) {
    answer_returned(answer);
    const char *fault = answer_fault(answer);
    (void)snprintf(trial->fault, sizeof trial->fault, "%s", fault != NULL ? fault : "");
    json_decref(trial->reply);
    trial->reply = answer_reply(answer);
    answer_done(answer);
}

int32_t trial_try_open(struct trial *trial, const char *config, polaris_es **ret_self) {
    CLEANUP(packed_done) struct packed map = trial_config(trial, config);
    polaris_es_services services = trial_services(trial);
    struct answer *answer = next_answer();
    doing("init %s", config != NULL ? config : "");
    int32_t status = trial->table->init(&services, packed_bytes(&map), &answer->sink, ret_self);
    keep(trial, answer);
    return status;
}

static const char *reply_text(const struct trial *trial) {
    static char text[600];
    CLEANUP(freep) char *json = trial->reply != NULL ? message_print(trial->reply) : NULL;
    (void)snprintf(text, sizeof text, "%.590s", json != NULL ? json : trial->fault);
    return text;
}

void trial_open(struct trial *trial, const char *config) {
    atomic_store(&trial->services.over, false);
    int32_t status = trial_try_open(trial, config, &trial->self);
    REQUIRE(status == POLARIS_ES_OK, "init answered %s: %s", answer_name(status), reply_text(trial));
    REQUIRE(trial->self != NULL, "init answered OK, and gave no instance");
}

void trial_shutdown(struct trial *trial) {
    struct answer *answer = next_answer();
    doing("shutdown");
    int32_t status = trial->table->shutdown(trial->self, (polaris_bytes){0}, &answer->sink);
    atomic_store(&trial->services.over, true);
    trial->self = NULL;
    keep(trial, answer);
    REQUIRE(status == POLARIS_ES_OK, "shutdown answered %s: %s", answer_name(status), reply_text(trial));
}

void trial_reopen(struct trial *trial, const char *config) {
    trial_shutdown(trial);
    trial_open(trial, config);
}

/* ---- calls ---- */

polaris_es_verb trial_verb(const struct trial *trial, const char *name) {
    const polaris_es_table *table = trial->table;
    return strcmp(name, "store") == 0    ? table->store
           : strcmp(name, "query") == 0  ? table->query
           : strcmp(name, "dlq") == 0    ? table->dlq
           : strcmp(name, "schema") == 0 ? table->schema
                                         : NULL;
}

bool trial_may_answer(const struct trial *trial, const char *verb, int32_t status, int32_t expected) {
    uint64_t bit = strcmp(verb, "store") == 0   ? POLARIS_ES_CAN_APPEND
                   : strcmp(verb, "query") == 0 ? POLARIS_ES_CAN_QUERY
                   : strcmp(verb, "dlq") == 0   ? POLARIS_ES_CAN_DEAD_LETTERS
                                                : POLARIS_ES_CAN_SCHEMAS;
    bool has = (trial->table->capabilities & bit) != 0;
    return status == expected || (!has && status == POLARIS_ES_UNSUPPORTED);
}

int32_t trial_call_bytes(struct trial *trial, const char *verb, polaris_bytes request) {
    struct answer *answer = next_answer();
    int32_t status = trial_verb(trial, verb)(trial->self, request, &answer->sink);
    keep(trial, answer);
    return status;
}

static int32_t call_text(struct trial *trial, const char *verb, const char *text) {
    json_auto_t *value = pattern_parse(text);
    CLEANUP(packed_done) struct packed request = pack(value);
    doing("%s %.200s", verb, text);
    return trial_call_bytes(trial, verb, packed_bytes(&request));
}

int32_t trial_call(struct trial *trial, const char *verb, const char *format, ...) {
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = print(format, args);
    va_end(args);
    return call_text(trial, verb, text);
}

json_t *trial_ok(struct trial *trial, const char *verb, const char *format, ...) {
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = print(format, args);
    va_end(args);
    int32_t status = call_text(trial, verb, text);
    REQUIRE(status == POLARIS_ES_OK, "%s %.200s answered %s: %s", verb, text, answer_name(status), reply_text(trial));
    REQUIRE(trial->reply != NULL, "%s %.200s: %s", verb, text, trial->fault);
    return trial->reply;
}

void trial_refused(struct trial *trial, int32_t status, const char *path, const char *verb, const char *format, ...) {
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = print(format, args);
    va_end(args);
    char what[256];
    (void)snprintf(what, sizeof what, "%s %.200s", verb, text);
    int32_t got = call_text(trial, verb, text);
    REQUIRE(got == status, "%s answered %s, not %s: %s", what, answer_name(got), answer_name(status),
            reply_text(trial));
    trial_expect_error(trial, what, status);
    if (path != NULL) {
        char pattern[256];
        (void)snprintf(pattern, sizeof pattern, "{'details': {'path': '%s'}}", path);
        trial_expect(trial, what, pattern);
    }
}

struct packed trial_request(struct trial *trial, const char *request) {
    json_auto_t *value = pattern_parse(request);
    const char *missing = NULL;
    if (strstr(request, "'#1'") != NULL && json_object_get(trial->names, "1") == NULL) {
        int64_t id = 1; /* nobody can ask */
        if ((trial->table->capabilities & POLARIS_ES_CAN_QUERY) != 0) {
            json_t *page = trial_ok(trial, "query", "{'op': 'events', 'limit': 1}");
            id = json_integer_value(pattern_find(json_object_get(page, "events"), "id"));
        }
        REQUIRE(json_object_set_new(trial->names, "1", json_integer(id)) == 0, "the check has no memory");
    }
    REQUIRE(pattern_fill(value, NULL, trial->names, &missing), "a defect of the check: no id in %s", request);
    return pack(value);
}

/* ---- replies ---- */

void trial_expect(const struct trial *trial, const char *what, const char *pattern) {
    json_auto_t *expected = pattern_parse(pattern);
    REQUIRE(trial->reply != NULL, "%s: %s", what, trial->fault);
    REQUIRE(pattern_matches(trial->reply, expected, trial->names), "%s: the reply is %s, which is not %.300s", what,
            reply_text(trial), pattern);
}

void trial_expect_error(const struct trial *trial, const char *what, int32_t status) {
    const json_t *reply = trial->reply;
    REQUIRE(reply != NULL, "%s: %s", what, trial->fault);
    const char *text = reply_text(trial);
    const char *name = json_string_value(json_object_get(reply, "name"));
    const char *message = json_string_value(json_object_get(reply, "message"));
    const json_t *code = json_object_get(reply, "code");
    const json_t *retryable = json_object_get(reply, "retryable");
    REQUIRE(json_is_integer(code) && json_integer_value(code) == status,
            "%s answered %s, but the error map has another code: %s", what, answer_name(status), text);
    REQUIRE(name != NULL && strcmp(name, answer_name(status)) == 0,
            "%s answered %s, but the error map has another name: %s", what, answer_name(status), text);
    REQUIRE(message != NULL && message[0] != '\0', "%s: the error map has no message: %s", what, text);
    REQUIRE(json_is_boolean(retryable), "%s: the error map does not say whether it is retryable: %s", what, text);
    REQUIRE(status < 0 || status >= POLARIS_ES_STATUS_COUNT || json_is_true(retryable) == STATUSES[status].retryable,
            "%s: the header says that %s is %s, the error map says otherwise: %s", what, answer_name(status),
            STATUSES[status].retryable ? "retryable" : "not retryable", text);
    REQUIRE(json_is_object(json_object_get(reply, "details")), "%s: the error map has no details: %s", what, text);
}

int64_t trial_int(const struct trial *trial, const char *name) {
    const json_t *value = json_object_get(trial->reply, name);
    REQUIRE(json_is_integer(value), "the reply has no integer '%s': %s", name, reply_text(trial));
    return json_integer_value(value);
}

int64_t trial_append(struct trial *trial, int64_t number) {
    json_t *reply =
        trial_ok(trial, "store", "{'op': 'append', 'event': {'type': 'checked', 'data': {'n': %" PRId64 "}}}", number);
    const json_t *id = json_array_get(json_object_get(reply, "ids"), 0);
    REQUIRE(json_is_integer(id), "append gave no id: %s", reply_text(trial));
    return json_integer_value(id);
}

int64_t trial_count(struct trial *trial) {
    (void)trial_ok(trial, "query", "{'op': 'count'}");
    return trial_int(trial, "count");
}

size_t trial_entries(const char *folder) {
    size_t count = 0;
    DIR *open_folder = opendir(folder);
    REQUIRE(open_folder != NULL, "the check cannot read %s", folder);
    while (readdir(open_folder) != NULL) {
        count++;
    }
    (void)closedir(open_folder);
    return count;
}

/* ---- threads and processes ---- */

int32_t call_json(const struct trial *trial, polaris_es *self, const char *verb, json_t **ret_reply, const char *format,
                  ...) {
    va_list args;
    va_start(args, format);
    CLEANUP(freep) char *text = print(format, args);
    va_end(args);
    json_auto_t *value = pattern_parse(text);
    CLEANUP(packed_done) struct packed request = pack(value);
    CLEANUP(answer_done) struct answer answer;
    answer_init(&answer);
    int32_t status = trial_verb(trial, verb)(self, packed_bytes(&request), &answer.sink);
    answer_returned(&answer);
    if (ret_reply != NULL) {
        *ret_reply = answer_reply(&answer);
    }
    return status;
}

pid_t trial_fork(void) {
    pid_t parent = getpid();
    pid_t process = fork();
    REQUIRE(process >= 0, "the check cannot fork: %s", strerror(errno));
    if (process == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)) {
        _exit(1);
    }
    return process;
}

void trial_wait(pid_t process, int signal) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0) {
        REQUIRE(errno == EINTR, "the check cannot wait: %s", strerror(errno));
    }
    if (signal == 0) {
        REQUIRE(!WIFSIGNALED(status), "its second process was ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
        REQUIRE(WEXITSTATUS(status) == 0, "its second process ended with exit code %d", WEXITSTATUS(status));
    } else {
        REQUIRE(WIFSIGNALED(status) && WTERMSIG(status) == signal, "its second process ended by itself");
    }
}
