/* changed_files.c: what happens to the files of a store while it is open: truncated, replaced, removed, made read-only,
 * locked by somebody else, no more room. A clear error, no crash, nothing acknowledged that is not kept; what can be
 * read is read; and where the harm is undone, it goes on. Each case runs in a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../stress/race.h"
#include "apart.h"

enum { EVENTS = 20, NOBODY = 65534, SECONDS_MAX = 30 };

#define STORE "in/store.db"
#define CONFIG "{\"path\": \"in/store.db\", \"busy_timeout_ms\": 300, \"readers\": 2}"
/* No defect, and no request that would be at fault. */
#define WHATEVER (~(MAY(INTERNAL) | MAY(INVALID) | MAY(UNSUPPORTED)))

static polaris_es *self;

/* ---- a store, and what is done with it ---- */

static int64_t append(unsigned allowed) {
    json_t *reply = call(self, table->store, allowed,
                         "{\"op\":\"append\",\"event\":{\"type\":\"a\",\"data\":{\"n\":1},\"tags\":[\"x\"]}}");
    int64_t id = json_integer_value(json_array_get(json_object_get(reply, "ids"), 0));
    json_decref(reply);
    return id;
}

static void open_new(void) {
    EXPECT(mkdir("in", 0755) == 0, "in: %s", strerror(errno));
    self = must_open(NULL, CONFIG);
    for (int i = 0; i < EVENTS; i++) {
        (void)append(MAY(OK));
    }
}

static int32_t status_of(json_t *reply) {
    int32_t status = (int32_t)number(reply, "code");
    json_decref(reply);
    return status;
}

/* Everything may fail, as a file system fails. Returns how many events could be read. */
static int64_t use(void) {
    json_t *reply = call(self, table->query, WHATEVER, "{\"op\":\"events\"}");
    int64_t count = number(reply, "count");
    json_decref(reply);
    static const char *const QUERIES[] = {"{\"op\":\"head\"}", "{\"op\":\"tags\"}", "{\"op\":\"count\"}",
                                          "{\"op\":\"get\",\"id\":1}"};
    for (size_t i = 0; i < sizeof QUERIES / sizeof QUERIES[0]; i++) {
        json_decref(call(self, table->query, WHATEVER, "%s", QUERIES[i]));
    }
    json_decref(call(self, table->dlq, WHATEVER,
                     "{\"op\":\"put\",\"event_id\":1,\"error\":{\"message\":\"m\"},\"delay_us\":0}"));
    json_decref(call(self, table->dlq, WHATEVER, "{\"op\":\"list\"}"));
    json_decref(call(self, table->store, WHATEVER, "{\"op\":\"append\",\"event\":{\"type\":\"b\",\"data\":{}}}"));
    return count;
}

static void end(void) {
    json_decref(call(self, table->shutdown, WHATEVER, "{}"));
}

/* A call that must be refused, in words that name what is the matter. */
static void expect_refused(unsigned allowed, const char *word) {
    (void)usleep(30000); /* what happens to files is noticed within some milliseconds */
    json_t *reply = call(self, table->store, allowed, "{\"op\":\"append\",\"event\":{\"type\":\"a\",\"data\":{}}}");
    const char *message = json_string_value(json_object_get(reply, "message"));
    EXPECT(message != NULL && strstr(message, word) != NULL, "no word of '%s' in: %s", word,
           message != NULL ? message : "");
    json_decref(reply);
}

/* Opened again, the store has exactly so many events, and takes more. */
static void expect_kept(int64_t count) {
    self = must_open(NULL, CONFIG);
    json_t *reply = call(self, table->query, MAY(OK), "{\"op\":\"count\"}");
    EXPECT(number(reply, "count") == count, "%lld events are kept of %lld", (long long)number(reply, "count"),
           (long long)count);
    json_decref(reply);
    (void)append(MAY(OK));
    must_close(self);
}

/* ---- cases ---- */

static void truncated(off_t size) {
    open_new();
    must_close(self); /* all is in the file now */
    self = must_open(NULL, CONFIG);
    (void)append(MAY(OK));
    EXPECT(truncate(STORE, size) == 0, "%s", strerror(errno));
    (void)use();
    (void)use();
    end();
    int32_t status = open_store(NULL, &self, CONFIG);
    EXPECT((WHATEVER & 1u << status) != 0, "init: %d", status);
    if (status == POLARIS_ES_OK) {
        (void)use();
        end();
    }
}

static void truncated_to_nothing(void *context) {
    (void)context;
    truncated(0);
}

static void truncated_to_a_part(void *context) {
    (void)context;
    truncated(3 * 4096 + 100);
}

static void truncated_log(void *context) {
    (void)context;
    open_new();
    EXPECT(truncate(STORE "-wal", 0) == 0, "%s", strerror(errno));
    expect_refused(MAY(IO), "its log cut");
    (void)use();
    end();
}

static void overwritten(void *context) {
    (void)context;
    open_new();
    FILE *file = fopen(STORE, "r+b");
    for (int i = 0; file != NULL && i < 30000; i++) {
        (void)fputc("no database at all "[i % 19], file);
    }
    EXPECT(file != NULL && fclose(file) == 0, "not overwritten");
    (void)use();
    (void)use();
    end();
}

/* By somebody else, in good order: what it held is in the file. */
static void log_copied_and_truncated(void *context) {
    sqlite3 *db = NULL;
    (void)context;
    open_new();
    EXPECT(sqlite3_open(STORE, &db) == SQLITE_OK &&
               sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK,
           "%s", sqlite3_errmsg(db));
    struct stat file;
    EXPECT(stat(STORE "-wal", &file) == 0 && file.st_size == 0, "it is not truncated");
    (void)usleep(30000);
    EXPECT(append(MAY(OK)) == EVENTS + 1, "it does not go on");
    EXPECT(sqlite3_close(db) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    must_close(self);
    expect_kept(EVENTS + 1);
}

/* Appends are refused while one of the files is not in its place, and nothing is lost when it is there again. */
static void taken_away(const char *path, bool replaced) {
    open_new();
    EXPECT(rename(path, "elsewhere") == 0, "%s: %s", path, strerror(errno));
    if (replaced) {
        copy_file("elsewhere", path);
    }
    expect_refused(MAY(IO), "moved, replaced or removed");
    EXPECT(status_of(call(self, table->dlq, MAY(IO),
                          "{\"op\":\"put\",\"event_id\":1,\"error\":{\"message\":\"m\"}}")) == POLARIS_ES_IO,
           "a dead letter was put");
    EXPECT(use() == EVENTS, "what was stored cannot be read any more");
    EXPECT(rename("elsewhere", path) == 0, "%s: %s", path, strerror(errno));
    EXPECT(append(MAY(OK)) == EVENTS + 1, "it does not go on");
    must_close(self);
    expect_kept(EVENTS + 1);
}

static void database_moved(void *context) {
    (void)context;
    taken_away(STORE, false);
}

static void database_replaced(void *context) {
    (void)context;
    taken_away(STORE, true);
}

static void log_moved(void *context) {
    (void)context;
    taken_away(STORE "-wal", false);
}

static void log_replaced(void *context) {
    (void)context;
    taken_away(STORE "-wal", true);
}

static void index_of_the_log_moved(void *context) {
    (void)context;
    taken_away(STORE "-shm", false);
}

static void owner_moved(void *context) {
    (void)context;
    taken_away(STORE ".owner", false);
}

static void folder_renamed(void *context) {
    (void)context;
    open_new();
    EXPECT(rename("in", "out") == 0, "%s", strerror(errno));
    expect_refused(MAY(IO), "moved, replaced or removed");
    EXPECT(use() == EVENTS, "what was stored cannot be read any more");
    EXPECT(rename("out", "in") == 0, "%s", strerror(errno));
    EXPECT(append(MAY(OK)) == EVENTS + 1, "it does not go on");
    must_close(self);
    expect_kept(EVENTS + 1);
}

static void everything_removed(void *context) {
    static const char *const NAMES[] = {STORE, STORE "-wal", STORE "-shm", STORE ".owner"};
    (void)context;
    open_new();
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        EXPECT(unlink(NAMES[i]) == 0, "%s: %s", NAMES[i], strerror(errno));
    }
    EXPECT(rmdir("in") == 0, "%s", strerror(errno));
    expect_refused(MAY(IO), "moved, replaced or removed");
    EXPECT(use() == EVENTS, "what was stored cannot be read any more");
    end();
    int32_t status = open_store(NULL, &self, CONFIG);
    EXPECT(status == POLARIS_ES_NOT_FOUND, "init without a folder: %d", status);
}

static void something_else_in_its_place(void *context) {
    (void)context;
    open_new();
    EXPECT(rename(STORE, "elsewhere") == 0 && mkfifo(STORE, 0600) == 0, "%s", strerror(errno));
    expect_refused(MAY(IO), "moved, replaced or removed");
    end();
    int32_t status = open_store(NULL, &self, CONFIG);
    EXPECT(status == POLARIS_ES_INVALID, "init on a fifo: %d", status);
}

/* Another process holds SQLite's lock until it is told to let go. */
static void lock_held_by_another_process(void *context) {
    int ends[2];
    char byte = 0;
    (void)context;
    EXPECT(pipe(ends) == 0, "%s", strerror(errno));
    int ready[2];
    EXPECT(pipe(ready) == 0, "%s", strerror(errno));
    pid_t pid = fork(); /* while there are no threads, which may leave the child with a lock that is held for ever */
    if (pid == 0) {
        sqlite3 *db = NULL;
        (void)close(ends[1]);
        bool held = read(ends[0], &byte, 1) == 1 && sqlite3_open(STORE, &db) == SQLITE_OK &&
                    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK;
        byte = held;
        _exit(write(ready[1], &byte, 1) == 1 && read(ends[0], &byte, 1) >= 0 ? 0 : 1);
    }
    open_new();
    EXPECT(write(ends[1], "", 1) == 1, "%s", strerror(errno));
    EXPECT(read(ready[0], &byte, 1) == 1 && byte == 1, "the other process has no lock");
    expect_refused(MAY(BUSY), "another program");
    EXPECT(status_of(call(self, table->query, MAY(OK), "{\"op\":\"count\"}")) == 0, "reads wait for a foreign writer");
    (void)close(ends[1]);
    (void)waitpid(pid, NULL, 0);
    EXPECT(append(MAY(OK)) == EVENTS + 1, "it does not go on");
    must_close(self);
    expect_kept(EVENTS + 1);
}

/* No file may grow beyond what the log has now. */
static void no_more_room(void *context) {
    struct rlimit before, limit;
    struct stat file;
    int64_t stored = EVENTS;
    (void)context;
    (void)signal(SIGXFSZ, SIG_IGN);
    open_new();
    EXPECT(getrlimit(RLIMIT_FSIZE, &before) == 0 && stat(STORE "-wal", &file) == 0, "%s", strerror(errno));
    limit = (struct rlimit){(rlim_t)file.st_size + 20000, before.rlim_max};
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0, "%s", strerror(errno));
    for (int i = 0; i < 20; i++) {
        stored += append(MAY(OK) | MAY(FULL) | MAY(IO)) > 0;
    }
    EXPECT(stored < EVENTS + 20, "the limit does not hold");
    EXPECT(status_of(call(self, table->query, MAY(OK), "{\"op\":\"count\"}")) == 0, "reads fail");
    EXPECT(setrlimit(RLIMIT_FSIZE, &before) == 0, "%s", strerror(errno));
    EXPECT(append(MAY(OK)) == stored + 1, "it does not go on");
    must_close(self);
    expect_kept(stored + 1);
}

/* ---- as a user who may not do everything ---- */

static bool become_nobody(void) {
    if (geteuid() != 0) {
        return true;
    }
    return chown(".", NOBODY, NOBODY) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

static void file_read_only(void *context) {
    (void)context;
    EXPECT(become_nobody(), "%s", strerror(errno));
    open_new();
    must_close(self);
    EXPECT(chmod(STORE, 0400) == 0, "%s", strerror(errno));
    int32_t status = open_store(NULL, &self, CONFIG);
    EXPECT(status == POLARIS_ES_READ_ONLY, "init: %d", status);
    self = must_open(NULL, "{\"path\": \"" STORE "\", \"mode\": \"read\"}");
    EXPECT(use() == EVENTS, "it cannot be read");
    end();
    /* SQLite gives the files beside it the permissions that it has. */
    (void)chmod(STORE "-wal", 0600);
    (void)chmod(STORE "-shm", 0600);
    EXPECT(chmod(STORE, 0600) == 0, "%s", strerror(errno));
    expect_kept(EVENTS);
}

static void folder_read_only(void *context) {
    (void)context;
    EXPECT(become_nobody(), "%s", strerror(errno));
    open_new();
    must_close(self);
    EXPECT(unlink(STORE ".owner") == 0 && chmod("in", 0500) == 0, "%s", strerror(errno));
    int32_t status = open_store(NULL, &self, CONFIG);
    EXPECT(status == POLARIS_ES_READ_ONLY, "init: %d", status);
    status = open_store(NULL, &self, "{\"path\": \"in/new.db\"}");
    EXPECT(status == POLARIS_ES_READ_ONLY, "init of a new store: %d", status);
    EXPECT(chmod("in", 0700) == 0, "%s", strerror(errno));
    expect_kept(EVENTS);
}

static void made_read_only_while_open(void *context) {
    (void)context;
    EXPECT(become_nobody(), "%s", strerror(errno));
    open_new();
    EXPECT(chmod(STORE, 0400) == 0 && chmod("in", 0500) == 0, "%s", strerror(errno));
    int64_t stored = EVENTS + (append(WHATEVER) > 0);
    (void)use();
    end();
    EXPECT(chmod("in", 0700) == 0 && chmod(STORE, 0600) == 0, "%s", strerror(errno));
    self = must_open(NULL, CONFIG);
    json_t *reply = call(self, table->query, MAY(OK), "{\"op\":\"count\",\"filter\":{\"types\":[\"a\"]}}");
    EXPECT(number(reply, "count") == stored, "an acknowledged event is lost");
    json_decref(reply);
    must_close(self);
}

int main(void) {
    static const struct {
        const char *name;
        void (*body)(void *context);
    } CASES[] = {
#define CASE(name) {#name, name}
        CASE(truncated_to_nothing),
        CASE(truncated_to_a_part),
        CASE(truncated_log),
        CASE(log_copied_and_truncated),
        CASE(overwritten),
        CASE(database_moved),
        CASE(database_replaced),
        CASE(log_moved),
        CASE(log_replaced),
        CASE(index_of_the_log_moved),
        CASE(owner_moved),
        CASE(folder_renamed),
        CASE(everything_removed),
        CASE(something_else_in_its_place),
        CASE(lock_held_by_another_process),
        CASE(no_more_room),
        CASE(file_read_only),
        CASE(folder_read_only),
        CASE(made_read_only_while_open),
#undef CASE
    };
    int passed = 0;
    race_begin_in("/tmp");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        empty_folder();
        passed += run_apart(CASES[i].name, SECONDS_MAX, CASES[i].body, NULL);
    }
    empty_folder();
    (void)printf("%d of %zu passed\n", passed, sizeof CASES / sizeof CASES[0]);
    return race_end();
}
