/* damaged_pages.c: a store with one of everything, of which each page in turn has bits turned, as a failing disk leaves
 * it; the same with each frame of its log. Whatever is asked of it then: no crash, no hang, no word of a defect of the
 * plugin; and what can be read is read.
 *
 *     damaged_pages [--turns N] [--seed S]
 *
 * N: how many times for each page. Each store is used in a process of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../stress/race.h"
#include "apart.h"
#include "torture/ledger.h"

enum { PAGE_SIZE = 1024, EVENTS = 40, TURNS = 2, SECONDS_MAX = 20 };

#define CONFIG "{\"path\": \"damaged.db\", \"page_size\": 1024, \"readers\": 1, \"busy_timeout_ms\": 200}"
/* What an op of a damaged store may answer: anything but a defect, or that somebody else is to blame. */
#define WHATEVER (~(MAY(INTERNAL) | MAY(BUSY) | MAY(UNSUPPORTED) | MAY(REPLY_LOST) | MAY(INVALID)))

/* How the children fared: shared with them. */
static struct { int opened, refused, gets, gets_ok, reads, reads_ok; } * tally;

/* ---- a store with one of everything ---- */

static void fill(polaris_es *self, int begin, int end) {
    for (int i = begin; i < end; i++) {
        char pad[1500];
        int size = i % 8 == 7 ? 1400 : 60; /* some on pages of their own */
        memset(pad, 'p', (size_t)size);
        pad[size] = '\0';
        json_decref(call(self, table->store, MAY(OK),
                         "{\"op\":\"append\",\"event\":{\"type\":\"t%d\",\"data\":{\"n\":%d,\"pad\":\"%s\"},"
                         "\"metadata\":{\"user\":\"u%d\"},\"stream\":\"s%d\",\"tags\":[\"x%d\",\"y\"],"
                         "\"key\":\"k%d\",\"correlation\":\"c%d\"}}",
                         i % 3, i, pad, i % 4, i % 5, i % 7, i, i % 6));
    }
}

static void fill_more(polaris_es *self) {
    static const struct {
        enum { STORE, DLQ, SCHEMA } verb;
        const char *request;
    } REQUESTS[] = {
        {STORE, "{\"op\":\"batch.create\",\"id\":\"open\",\"metadata\":{\"job\":1}}"},
        {STORE, "{\"op\":\"batch.append\",\"id\":\"open\",\"events\":[{\"type\":\"t0\",\"data\":{}},"
                "{\"type\":\"t1\",\"data\":{\"n\":1},\"tags\":[\"z\"]}]}"},
        {STORE, "{\"op\":\"batch.create\",\"id\":\"done\"}"},
        {STORE, "{\"op\":\"batch.append\",\"id\":\"done\",\"event\":{\"type\":\"t0\",\"data\":{}}}"},
        {STORE, "{\"op\":\"batch.complete\",\"id\":\"done\"}"},
        {DLQ, "{\"op\":\"put\",\"event_id\":1,\"delay_us\":0,\"error\":{\"class\":\"E\",\"message\":\"m\"}}"},
        {DLQ, "{\"op\":\"put\",\"event_id\":2,\"delay_us\":0,\"error\":{\"message\":\"m\"}}"},
        {DLQ, "{\"op\":\"put\",\"event_id\":3,\"consumer\":\"c\",\"error\":{\"message\":\"m\"}}"},
        {DLQ, "{\"op\":\"claim\"}"},
        {SCHEMA, "{\"op\":\"put\",\"type\":\"v\",\"schema\":{\"type\":\"object\",\"required\":[\"id\"]}}"},
        {SCHEMA, "{\"op\":\"put\",\"type\":\"v\",\"schema\":{\"required\":[\"id\"]},\"metadata\":{\"by\":1}}"},
        {SCHEMA, "{\"op\":\"policy\",\"type\":\"v\",\"policy\":\"dead_letter\"}"},
        {STORE, "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{}}}"},
        {STORE, "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{\"id\":1}}}"},
    };
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        const polaris_es_verb verbs[] = {table->store, table->dlq, table->schema};
        json_decref(call(self, verbs[REQUESTS[i].verb], MAY(OK), "%s", REQUESTS[i].request));
    }
}

/* whole.db, without a log; and logged.db with a log that has the second half of everything. */
static void make_stores(void) {
    polaris_es *self = must_open(NULL, CONFIG);
    fill(self, 0, EVENTS / 2);
    must_close(self);
    copy_file("damaged.db", "logged.db");
    self = must_open(NULL, CONFIG);
    fill(self, EVENTS / 2, EVENTS);
    fill_more(self);
    copy_file("damaged.db-wal", "logged.db-wal"); /* nobody writes meanwhile */
    must_close(self);
    copy_file("damaged.db", "whole.db");
}

/* ---- everything that can be asked ---- */

static void read_all(polaris_es *self) {
    static const char *const QUERIES[] = {
        "{\"op\":\"events\"}",
        "{\"op\":\"events\",\"order\":\"desc\",\"order_by\":\"time\"}",
        "{\"op\":\"events\",\"filter\":{\"types\":[\"t0\",\"t2\"]}}",
        "{\"op\":\"events\",\"filter\":{\"stream\":\"s1\"}}",
        "{\"op\":\"events\",\"filter\":{\"tags_any\":[\"x1\",\"x2\"]}}",
        "{\"op\":\"events\",\"filter\":{\"tags_all\":[\"x1\",\"y\"]},\"order\":\"desc\"}",
        "{\"op\":\"events\",\"filter\":{\"correlation\":\"c1\"}}",
        "{\"op\":\"events\",\"filter\":{\"batch\":\"done\"}}",
        "{\"op\":\"events\",\"filter\":{\"metadata\":{\"/user\":\"u1\"}}}",
        "{\"op\":\"events\",\"filter\":{\"from\":0,\"recorded_from\":1}}",
        "{\"op\":\"count\"}",
        "{\"op\":\"count\",\"filter\":{\"tags_any\":[\"y\"]}}",
        "{\"op\":\"histogram\"}",
        "{\"op\":\"histogram\",\"by\":\"type_and_time\",\"bucket_us\":1000000}",
        "{\"op\":\"streams\"}",
        "{\"op\":\"tags\"}",
        "{\"op\":\"batches\"}",
        "{\"op\":\"head\"}",
    };
    static const char *const LETTERS[] = {
        "{\"op\":\"list\",\"with_events\":true}",
        "{\"op\":\"count\"}",
        "{\"op\":\"get\",\"id\":1}",
        "{\"op\":\"rejected.list\"}",
        "{\"op\":\"rejected.get\",\"id\":1}",
    };
    static const char *const SCHEMAS[] = {"{\"op\":\"list\"}", "{\"op\":\"versions\",\"type\":\"v\"}",
                                          "{\"op\":\"get\",\"type\":\"v\"}",
                                          "{\"op\":\"validate\",\"type\":\"v\",\"data\":{}}"};
    const struct {
        polaris_es_verb verb;
        const char *const *requests;
        size_t count;
    } READS[] = {{table->query, QUERIES, sizeof QUERIES / sizeof QUERIES[0]},
                 {table->dlq, LETTERS, sizeof LETTERS / sizeof LETTERS[0]},
                 {table->schema, SCHEMAS, sizeof SCHEMAS / sizeof SCHEMAS[0]}};
    for (size_t i = 0; i < sizeof READS / sizeof READS[0]; i++) {
        for (size_t j = 0; j < READS[i].count; j++) {
            json_t *reply = call(self, READS[i].verb, WHATEVER, "%s", READS[i].requests[j]);
            tally->reads++;
            tally->reads_ok += json_object_get(reply, "code") == NULL;
            json_decref(reply);
        }
    }
    for (int id = 1; id <= EVENTS; id++) {
        json_t *reply = call(self, table->query, WHATEVER, "{\"op\":\"get\",\"id\":%d}", id);
        const json_t *event = json_object_get(reply, "event");
        tally->gets++;
        tally->gets_ok += event != NULL && json_object_get(event, "damaged") == NULL;
        json_decref(reply);
    }
}

static void write_all(polaris_es *self) {
    static const char *const STORES[] = {
        "{\"op\":\"append\",\"event\":{\"type\":\"t0\",\"data\":{},\"stream\":\"s1\",\"tags\":[\"x1\"],\"key\":\"n\"}}",
        "{\"op\":\"append\",\"event\":{\"type\":\"t1\",\"data\":{\"n\":3},\"key\":\"k3\"}}",
        "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{\"id\":2}}}",
        "{\"op\":\"batch.append\",\"id\":\"open\",\"event\":{\"type\":\"t0\",\"data\":{}}}",
        "{\"op\":\"batch.complete\",\"id\":\"open\"}",
        "{\"op\":\"batch.create\",\"id\":\"new\"}",
        "{\"op\":\"batch.abort\",\"id\":\"new\"}",
    };
    static const char *const LETTERS[] = {
        "{\"op\":\"put\",\"event_id\":5,\"error\":{\"message\":\"m\"}}",
        "{\"op\":\"claim\",\"limit\":10}",
        "{\"op\":\"fail\",\"id\":1,\"token\":1,\"error\":{\"message\":\"m\"}}",
        "{\"op\":\"retry\"}",
        "{\"op\":\"redrive\",\"all\":true}",
        "{\"op\":\"discard\",\"id\":3,\"reason\":\"r\"}",
        "{\"op\":\"purge\"}",
        "{\"op\":\"rejected.resubmit\",\"id\":1,\"event\":{\"type\":\"v\",\"data\":{\"id\":3}}}",
    };
    for (size_t i = 0; i < sizeof STORES / sizeof STORES[0]; i++) {
        json_decref(call(self, table->store, WHATEVER, "%s", STORES[i]));
    }
    for (size_t i = 0; i < sizeof LETTERS / sizeof LETTERS[0]; i++) {
        json_decref(call(self, table->dlq, WHATEVER, "%s", LETTERS[i]));
    }
    json_decref(call(self, table->schema, WHATEVER, "%s", "{\"op\":\"put\",\"type\":\"w\",\"schema\":true}"));
}

/* What the plugin told the host's log last: it has SQLite's own words. */
static char last_line[512];

static void keep_line(void *context, int32_t level, polaris_bytes line) {
    (void)context;
    (void)level;
    (void)snprintf(last_line, sizeof last_line, "%.*s", (int)line.size, (const char *)line.data);
}

static void use_store(void *context) {
    static const polaris_es_services SERVICES = {.size = sizeof SERVICES, .log = keep_line};
    static const char *const CONFIGS[] = {"{\"path\":\"damaged.db\",\"mode\":\"read\"}", CONFIG};
    for (int i = *(const int *)context % 2; i < 2; i++) { /* every other time a reader comes first */
        polaris_es *self = NULL;
        int32_t status = open_store(&SERVICES, &self, CONFIGS[i]);
        EXPECT((WHATEVER & 1u << status) != 0, "init answers %d", status);
        tally->opened += status == POLARIS_ES_OK;
        tally->refused += status != POLARIS_ES_OK;
        if (status == POLARIS_ES_OK) {
            read_all(self);
            if (i == 1) {
                write_all(self);
            }
            json_decref(call(self, table->shutdown, WHATEVER, "{}"));
        }
        EXPECT(!complained(), "the last line of the log: %s", last_line);
    }
}

/* ---- damage ---- */

static void turn_bits(const char *path, long offset, long size, struct draws *draws) {
    FILE *file = fopen(path, "r+b");
    uint8_t byte = 0;
    int count = 1 + draw_below(draws, 8);
    for (int i = 0; file != NULL && i < count; i++) {
        long at = offset + draw_below(draws, (int)size);
        if (fseek(file, at, SEEK_SET) == 0 && fread(&byte, 1, 1, file) == 1 && fseek(file, at, SEEK_SET) == 0) {
            byte = (uint8_t)(byte ^ 1u << draw_below(draws, 8));
            EXPECT(fwrite(&byte, 1, 1, file) == 1, "%s cannot be written", path);
        }
    }
    EXPECT(file != NULL && fclose(file) == 0, "%s cannot be written", path);
}

static void damage(const char *store, const char *suffix, long unit, long head, int turns, uint64_t seed) {
    char from[64], what[128];
    struct stat file = {0};
    (void)snprintf(from, sizeof from, "%s%s", store, suffix);
    EXPECT(stat(from, &file) == 0 && file.st_size >= 4 * unit, "%s has %lld bytes", from, (long long)file.st_size);
    for (long unit_number = 0; head + unit_number * unit < file.st_size; unit_number++) {
        for (int turn = 0; turn < turns; turn++) {
            char path[32];
            long offset = unit_number > 0 || head == 0 ? head + unit_number * unit : 0;
            struct draws draws = draws_of(seed, (int)unit_number, turn, (int)unit, 7);
            (void)snprintf(path, sizeof path, "damaged.db%s", suffix);
            (void)unlink("damaged.db-wal");
            (void)unlink("damaged.db-shm");
            (void)snprintf(what, sizeof what, "%s", store);
            copy_file(what, "damaged.db");
            if (strcmp(store, "logged.db") == 0) {
                copy_file("logged.db-wal", "damaged.db-wal");
            }
            /* Small pages may have room at their end: often it is the head of the page that is hit. */
            turn_bits(path, offset, turn % 2 == 0 ? unit : 64, &draws);
            (void)snprintf(what, sizeof what, "%s, page %ld, turn %d of seed %llu", from, unit_number + 1, turn,
                           (unsigned long long)seed);
            (void)run_apart(what, SECONDS_MAX, use_store, &turn);
        }
    }
}

int main(int argc, char **argv) {
    long turns = TURNS, seed = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--turns") == 0) {
            turns = strtol(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            seed = strtol(argv[i + 1], NULL, 10);
        }
    }
    race_begin_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED) {
        return 1;
    }
    make_stores();
    damage("whole.db", "", PAGE_SIZE, 0, (int)turns, (uint64_t)seed);
    damage("logged.db", "-wal", PAGE_SIZE + 24, 32, (int)turns, (uint64_t)seed);
    (void)printf("seed %ld: %d opened, %d refused; of %d gets %d gave a sound event, of %d reads %d gave a reply\n",
                 seed, tally->opened, tally->refused, tally->gets, tally->gets_ok, tally->reads, tally->reads_ok);
    EXPECT(tally->opened > 4 * tally->refused, "most stores cannot be opened");
    EXPECT(4LL * tally->gets_ok > 3LL * tally->gets, "most events cannot be read");
    EXPECT(4LL * tally->reads_ok > 3LL * tally->reads, "most reads fail");
    return race_end();
}
