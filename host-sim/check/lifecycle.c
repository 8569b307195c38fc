/* lifecycle.c: opening, owning and closing a store. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/pattern.h"
#include "check/trial.h"

static void opens_and_shuts_down(struct trial *trial) {
    trial_open(trial, NULL);
    REQUIRE(trial->reply != NULL, "the reply of init: %s", trial->fault);
    REQUIRE(trial->plugin->descriptor.format_read_max > 0 || access(trial->path, F_OK) != 0,
            "init made a file, and the descriptor says, by formats 0 to 0, that the build keeps none");
    trial_shutdown(trial);
    REQUIRE(trial->reply != NULL, "the reply of shutdown: %s", trial->fault);
}

static void describes_the_store(struct trial *trial) {
    trial_open(trial, NULL);
    trial_expect(trial, "init of a new file",
                 "{'path': '*', 'mode': 'write', 'created': true, 'store_id': {'$bin': '*'}, 'format': '*', "
                 "'last_id': 0, 'durability': 'normal'}");
    REQUIRE(trial_int(trial, "format") == trial->plugin->descriptor.format_write,
            "the new file has format %lld, the descriptor promises %u", (long long)trial_int(trial, "format"),
            trial->plugin->descriptor.format_write);
    json_auto_t *first = json_incref(trial->reply);
    int64_t id = trial_append(trial, 1);
    trial_reopen(trial, NULL);
    trial_expect(trial, "init of the same file", "{'created': false, 'mode': 'write'}");
    REQUIRE(trial_int(trial, "last_id") == id, "opened again, the store says its last id is %lld, not %lld",
            (long long)trial_int(trial, "last_id"), (long long)id);
    REQUIRE(json_equal(json_object_get(first, "store_id"), json_object_get(trial->reply, "store_id")),
            "the store_id is another one after the file was opened again");
    trial_shutdown(trial);
}

/* init must refuse; nothing may have been handed out. */
static void refuses(struct trial *trial, const char *config, int32_t expected, const char *pattern) {
    polaris_es *untouched = (polaris_es *)(void *)trial;
    polaris_es *self = untouched;
    int32_t status = trial_try_open(trial, config, &self);
    REQUIRE(status == expected, "init with %s answered %s, not %s", config, answer_name(status), answer_name(expected));
    REQUIRE(self == untouched, "init with %s failed, and changed *ret_self", config);
    trial_expect_error(trial, config, expected);
    trial_expect(trial, config, pattern);
}

static void no_create(struct trial *trial) {
    refuses(trial, "{'create': false}", POLARIS_ES_NOT_FOUND, "{}");
    REQUIRE(access(trial->path, F_OK) != 0, "with \"create\": false the file was made");
}

static void strict_config(struct trial *trial) {
    refuses(trial, "{'busy_timeout': 100}", POLARIS_ES_INVALID, "{'details': {'path': '/busy_timeout'}}");
    refuses(trial, "{'readers': 'four'}", POLARIS_ES_INVALID, "{'details': {'path': '/readers'}}");
    refuses(trial, "{'readers': 0}", POLARIS_ES_INVALID, "{'details': {'path': '/readers'}}");
    refuses(trial, "{'readers': 4.0}", POLARIS_ES_INVALID, "{'details': {'path': '/readers'}}");
    refuses(trial, "{'durability': 'some'}", POLARIS_ES_INVALID, "{'details': {'path': '/durability'}}");
    refuses(trial, "{'mode': 'append'}", POLARIS_ES_INVALID, "{'details': {'path': '/mode'}}");
    refuses(trial, "{'path': null}", POLARIS_ES_INVALID, "{}");
    refuses(trial, "{'path': ''}", POLARIS_ES_INVALID, "{'details': {'path': '/path'}}");
    trial_open(trial, NULL); /* none of them holds the file */
    trial_shutdown(trial);
}

static void null_is_absent(struct trial *trial) {
    trial_open(trial, "{'readers': null, 'owner': null}");
    trial_shutdown(trial);
}

static void frees_the_file(struct trial *trial) {
    for (int i = 0; i < 5; i++) {
        trial_open(trial, NULL);
        trial_shutdown(trial);
    }
}

static void shut_down_into_no_sink(struct trial *trial) {
    struct answer answer;
    answer_init(&answer);
    polaris_sink sinks[] = {answer.sink, answer.sink, answer.sink};
    sinks[0].size = 8;
    sinks[1].reserved = 1;
    sinks[2].write = NULL;
    for (size_t i = 0; i < sizeof sinks / sizeof sinks[0]; i++) {
        trial_open(trial, NULL);
        doing("shutdown with a sink that is none");
        int32_t status = trial->table->shutdown(trial->self, (polaris_bytes){0}, &sinks[i]);
        REQUIRE(status == POLARIS_ES_INVALID, "shutdown with a sink that is none answered %s, not INVALID",
                answer_name(status));
    }
    answer_done(&answer);
}

/* Whatever its arguments, shutdown closes. */
static void shutdown_always_closes(struct trial *trial) {
    CLEANUP(packed_done) struct packed wrong = packed("{'colour': 'red'}");
    CLEANUP(packed_done) struct packed list = packed("[1]");
    const polaris_bytes requests[] = {packed_bytes(&wrong), packed_bytes(&list), {(const uint8_t *)"\xc1", 1}};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        trial_open(trial, NULL);
        struct answer answer;
        answer_init(&answer);
        doing("shutdown with a wrong request");
        int32_t status = trial->table->shutdown(trial->self, requests[i], &answer.sink);
        answer_returned(&answer);
        answer_done(&answer);
        REQUIRE(status == POLARIS_ES_INVALID, "shutdown with a wrong request answered %s, not INVALID",
                answer_name(status));
    }
    shut_down_into_no_sink(trial);
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

static void shutdown_takes(struct trial *trial) {
    CLEANUP(packed_done) struct packed map = packed("{}");
    for (int i = 0; i < 4; i++) {
        trial_open(trial, NULL);
        struct answer answer;
        answer_init(&answer);
        bool with_map = (i & 1) != 0, with_sink = (i & 2) != 0;
        doing("shutdown %s, %s", with_map ? "{}" : "without bytes", with_sink ? "with a sink" : "without one");
        int32_t status = trial->table->shutdown(trial->self, with_map ? packed_bytes(&map) : (polaris_bytes){0},
                                                with_sink ? &answer.sink : NULL);
        answer_returned(&answer);
        json_auto_t *reply = answer_reply(&answer);
        REQUIRE(status == POLARIS_ES_OK, "shutdown %s answered %s", with_map ? "{}" : "without bytes",
                answer_name(status));
        REQUIRE(!with_sink || reply != NULL, "shutdown: %s", answer_fault(&answer));
        answer_done(&answer);
    }
}

static void without_services(struct trial *trial) {
    CLEANUP(packed_done) struct packed config = trial_config(trial, NULL);
    struct answer answer;
    answer_init(&answer);
    doing("init without services");
    int32_t status = trial->table->init(NULL, packed_bytes(&config), &answer.sink, &trial->self);
    answer_returned(&answer);
    answer_done(&answer);
    REQUIRE(status == POLARIS_ES_OK, "init without services answered %s", answer_name(status));
    if ((trial->table->capabilities & POLARIS_ES_CAN_APPEND) != 0) {
        (void)trial_append(trial, 1);
    }
    trial_shutdown(trial);
}

/* Services of which each function is NULL. */
static void empty_services(struct trial *trial) {
    CLEANUP(packed_done) struct packed config = trial_config(trial, NULL);
    const polaris_es_services services = {.size = sizeof services};
    struct answer answer;
    answer_init(&answer);
    doing("init with services that are all NULL");
    int32_t status = trial->table->init(&services, packed_bytes(&config), &answer.sink, &trial->self);
    answer_returned(&answer);
    answer_done(&answer);
    REQUIRE(status == POLARIS_ES_OK, "init with services that are all NULL answered %s", answer_name(status));
    if ((trial->table->capabilities & POLARIS_ES_CAN_APPEND) != 0) {
        (void)trial_append(trial, 1);
    }
    trial_shutdown(trial);
}

static void no_late_service(struct trial *trial) {
    for (int i = 0; i < 3; i++) {
        trial_open(trial, NULL);
        if ((trial->table->capabilities & POLARIS_ES_CAN_APPEND) != 0) {
            (void)trial_append(trial, i);
        }
        trial_shutdown(trial);
        (void)usleep(60000);
        int late = atomic_load(&trial->services.late);
        REQUIRE(late == 0, "%d calls of the host's services came after shutdown had returned", late);
    }
}

static void log_lines(struct trial *trial) {
    trial_open(trial, NULL);
    (void)trial_call(trial, "store", "{'op': 'no such op\\nsecond line'}");
    (void)trial_call(trial, "query", "{'op': 'events', 'cursor': 'none'}");
    trial_shutdown(trial);
    int bad = atomic_load(&trial->services.bad_lines);
    REQUIRE(bad == 0,
            "%d lines of the log had an unknown level, were no UTF-8, or had a line's end, a NUL or nothing in them",
            bad);
}

static void clock_is_the_hosts(struct trial *trial) {
    trial_open(trial, NULL);
    (void)trial_append(trial, 1);
    REQUIRE(trial_int(trial, "recorded_at") == TRIAL_START_US, "recorded_at is %lld, the host's clock stands at %lld",
            (long long)trial_int(trial, "recorded_at"), (long long)TRIAL_START_US);
    atomic_store(&trial->services.now_us, TRIAL_START_US + 5000000);
    (void)trial_append(trial, 2);
    REQUIRE(trial_int(trial, "recorded_at") == TRIAL_START_US + 5000000, "the host's clock was not asked again");
    atomic_store(&trial->services.now_us, TRIAL_START_US - 5000000);
    (void)trial_append(trial, 3);
    REQUIRE(trial_int(trial, "recorded_at") >= TRIAL_START_US + 5000000,
            "the host's clock went back, and recorded_at with it");
    trial_shutdown(trial);
}

static void wake_tells(struct trial *trial) {
    trial_open(trial, NULL);
    int64_t last = 0;
    for (int i = 0; i < 20; i++) {
        last = trial_append(trial, i);
    }
    for (int i = 0; i < 1000 && atomic_load(&trial->services.woken) != last; i++) {
        (void)usleep(5000); /* it is told by a thread of the plugin */
    }
    REQUIRE(atomic_load(&trial->services.woken) == last, "wake told id %lld last, the last commit had %lld",
            (long long)atomic_load(&trial->services.woken), (long long)last);
    REQUIRE(atomic_load(&trial->services.disorder) == 0, "wake was not called in commit order");
    trial_shutdown(trial);
}

static void second_writer(struct trial *trial) {
    trial_open(trial, "{'owner': 'the first'}");
    refuses(trial, "{'owner': 'the second', 'busy_timeout_ms': 0}", POLARIS_ES_BUSY,
            "{'details': {'owner': 'the first', 'pid': '*'}}");
    (void)trial_append(trial, 1);
    trial_shutdown(trial);
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

static void second_writer_by_link(struct trial *trial) {
    trial_open(trial, NULL);
    (void)snprintf(trial->path, sizeof trial->path, "%.1199s/./events.db", trial->folder);
    refuses(trial, "{'busy_timeout_ms': 0}", POLARIS_ES_BUSY, "{}");
    trial_shutdown(trial);
}

static void second_process(struct trial *trial) {
    int ready[2], go[2];
    char byte = 0;
    REQUIRE(pipe(ready) == 0 && pipe(go) == 0, "the check has no pipe");
    pid_t other = trial_fork();
    if (other == 0) {
        (void)close(ready[0]);
        (void)close(go[1]);
        trial_open(trial, "{'owner': 'another process'}");
        bool told = write(ready[1], "r", 1) == 1 && read(go[0], &byte, 1) == 1;
        trial_shutdown(trial);
        _exit(told ? 0 : 1);
    }
    (void)close(ready[1]); /* so that its end is the end of what it says */
    (void)close(go[0]);
    (void)signal(SIGPIPE, SIG_IGN);
    if (read(ready[0], &byte, 1) != 1) {
        trial_wait(other, 0);
        finding("the second process said nothing");
    }
    char pattern[120];
    (void)snprintf(pattern, sizeof pattern, "{'details': {'owner': 'another process', 'pid': %d}}", (int)other);
    refuses(trial, "{'busy_timeout_ms': 0}", POLARIS_ES_BUSY, pattern);
    REQUIRE(write(go[1], "g", 1) == 1, "the second process is gone");
    trial_wait(other, 0);
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

static void reader_beside(struct trial *trial) {
    trial_open(trial, NULL);
    polaris_es *reader = NULL;
    int64_t id = trial_append(trial, 1);
    int32_t status = trial_try_open(trial, "{'mode': 'read'}", &reader);
    REQUIRE(status == POLARIS_ES_OK, "a reader beside the writer is answered %s", answer_name(status));
    trial_expect(trial, "init of a reader", "{'mode': 'read', 'created': false}");
    json_auto_t *reply = NULL;
    id = trial_append(trial, 2);
    status = call_json(trial, reader, "query", &reply, "{'op': 'get', 'id': %lld}", (long long)id);
    REQUIRE(status == POLARIS_ES_OK, "an event that was acknowledged is %s to the reader", answer_name(status));
    json_auto_t *refusal = NULL;
    status = call_json(trial, reader, "store", &refusal, "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    REQUIRE(status == POLARIS_ES_READ_ONLY, "an append through a reader is answered %s", answer_name(status));
    doing("shutdown of the reader");
    status = trial->table->shutdown(reader, (polaris_bytes){0}, NULL);
    REQUIRE(status == POLARIS_ES_OK, "shutdown of the reader answered %s", answer_name(status));
    REQUIRE(trial_count(trial) == 2, "there are %lld events, not 2", (long long)trial_count(trial));
    trial_shutdown(trial);
}

static void reader_makes_nothing(struct trial *trial) {
    refuses(trial, "{'mode': 'read'}", POLARIS_ES_NOT_FOUND, "{}");
    REQUIRE(access(trial->path, F_OK) != 0, "a reader made the file");
}

static void two_stores(struct trial *trial) {
    polaris_es *other = NULL;
    trial_open(trial, NULL);
    (void)snprintf(trial->path, sizeof trial->path, "%.1199s/other.db", trial->folder);
    int32_t status = trial_try_open(trial, NULL, &other);
    REQUIRE(status == POLARIS_ES_OK && other != trial->self, "a second store in one process is answered %s",
            answer_name(status));
    for (int i = 0; i < 3; i++) {
        (void)trial_append(trial, i);
    }
    json_auto_t *reply = NULL;
    status = call_json(trial, other, "query", &reply, "{'op': 'count'}");
    REQUIRE(status == POLARIS_ES_OK && json_integer_value(json_object_get(reply, "count")) == 0,
            "events of one store are in another one of the same process");
    status = trial->table->shutdown(other, (polaris_bytes){0}, NULL);
    REQUIRE(status == POLARIS_ES_OK, "shutdown of the second store answered %s", answer_name(status));
    REQUIRE(trial_count(trial) == 3, "a store lost events when another one was shut down");
    trial_shutdown(trial);
}

static void foreign_file(struct trial *trial) {
    static const char TEXT[] = "this is a letter, and no store of any kind; it must stay as it is\n";
    char read_back[sizeof TEXT] = "";
    int fd = open(trial->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && write(fd, TEXT, sizeof TEXT) == (ssize_t)sizeof TEXT, "the check cannot write a file");
    refuses(trial, "{}", POLARIS_ES_CORRUPT, "{}");
    REQUIRE(pread(fd, read_back, sizeof read_back, 0) == (ssize_t)sizeof TEXT &&
                memcmp(read_back, TEXT, sizeof TEXT) == 0 && lseek(fd, 0, SEEK_END) == (off_t)sizeof TEXT,
            "a file that is no store was changed");
    (void)close(fd);
}

static void ids_go_on(struct trial *trial) {
    int64_t last = 0;
    for (int round = 0; round < 4; round++) {
        trial_open(trial, NULL);
        REQUIRE(trial_int(trial, "last_id") == last, "opened again, the store says its last id is %lld, not %lld",
                (long long)trial_int(trial, "last_id"), (long long)last);
        for (int i = 0; i < 3; i++) {
            int64_t id = trial_append(trial, i);
            REQUIRE(id > last, "an event got the id %lld after another one had %lld", (long long)id, (long long)last);
            last = id;
        }
        trial_shutdown(trial);
    }
}

static const struct check CHECKS[] = {
    CHECK("lifecycle/opens-and-shuts-down", "init and shutdown are OK, each with a map for a reply", 0,
          opens_and_shuts_down),
    CHECK("lifecycle/describes-the-store", "the reply of init is true, and the store_id stays", NEEDS_APPEND,
          describes_the_store),
    CHECK("lifecycle/makes-no-file-without-create", "NOT_FOUND", NEEDS_FILE, no_create),
    CHECK("lifecycle/refuses-a-wrong-configuration", "unknown, mistyped, out of range: INVALID, with the path",
          NEEDS_FILE, strict_config),
    CHECK("lifecycle/takes-nil-for-absent", "a key of the configuration whose value is nil", NEEDS_FILE,
          null_is_absent),
    CHECK("lifecycle/shutdown-takes-a-map-or-nothing", "with a sink and without", 0, shutdown_takes),
    CHECK("lifecycle/shutdown-frees-the-file", "another init follows at once", 0, frees_the_file),
    CHECK("lifecycle/shutdown-closes-whatever-it-is-given", "a wrong request or sink is INVALID, and closes as well",
          NEEDS_FILE, shutdown_always_closes),
    CHECK("lifecycle/works-without-services", "the host may do nothing for the plugin", 0, without_services),
    CHECK("lifecycle/works-with-services-that-are-null", "every member but size may be NULL", 0, empty_services),
    CHECK("lifecycle/calls-no-service-after-shutdown", "when it returned, nobody is called any more", 0,
          no_late_service),
    CHECK("lifecycle/log-lines-are-lines", "a known level, one line of UTF-8", 0, log_lines),
    CHECK("lifecycle/asks-the-hosts-clock", "recorded_at is the host's time, and never goes back", NEEDS_APPEND,
          clock_is_the_hosts),
    CHECK("lifecycle/wakes-after-each-commit", "in commit order, up to the last", NEEDS_APPEND | POLARIS_ES_CAN_WAKE,
          wake_tells),
    CHECK("lifecycle/a-second-writer-is-busy", "and told who owns the file", NEEDS_APPEND, second_writer),
    CHECK("lifecycle/a-second-writer-by-another-path-is-busy", "one file, one writer, however it is called", NEEDS_FILE,
          second_writer_by_link),
    CHECK("lifecycle/a-second-writing-process-is-busy", "one writer in the whole system", NEEDS_FILE, second_process),
    CHECK("lifecycle/a-reader-works-beside-the-writer", "sees what is acknowledged, and changes nothing",
          NEEDS_QUERY | POLARIS_ES_CAN_READ_MODE, reader_beside),
    CHECK("lifecycle/a-reader-makes-no-file", "NOT_FOUND", NEEDS_FILE | POLARIS_ES_CAN_READ_MODE, reader_makes_nothing),
    CHECK("lifecycle/two-stores-live-in-one-process", "and know nothing of each other", NEEDS_QUERY, two_stores),
    CHECK("lifecycle/leaves-a-foreign-file-as-it-is", "CORRUPT, and not a byte of it is changed", NEEDS_FILE,
          foreign_file),
    CHECK("lifecycle/ids-go-on-when-opened-again", "an id is never used twice", NEEDS_APPEND, ids_go_on),
};
const struct check_group CHECK_LIFECYCLE = CHECK_GROUP(CHECKS);
