/* odd.c: the real plugin with one thing odd about it, which ODD names: what it says of itself, what it prints, and what
 * it leaves behind. Each is compiled into a shared object of its own, as those of broken.c are. The first ones keep
 * what the interface promises all the same. */
#include <fcntl.h>
#include <polaris/event_store.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/captured.h"

enum odd {
    HAS_NO_LETTERS = 1, /* dlq answers UNSUPPORTED, whatever the request is */
    HAS_NO_SCHEMAS,     /* and so does schema */
    HAS_ITS_OWN_SQLITE, /* so its descriptor says */
    BEGINS_AT_1001,     /* with the ids of a new store */
    PRINTS_A_LOT,       /* in init */
    STEERS_A_TERMINAL,  /* by its name, and has characters in its build id that XML has not */

    CRASHES_IN_A_SECOND_PROCESS, /* of the host */
    TALKS_AND_CRASHES,           /* in init, and says why at last */
    CLAIMS_NO_FILE,              /* in its descriptor, and makes one */
    ENDS_NO_ID,                  /* in its descriptor: the room is full */
    ENDS_NO_REASON,              /* in a welcome that is OK */
    LINKS_IN_NO_WAY,             /* that a revision knows of */
    MAKES_A_FILE_IN_THE_ENTRY,
    LOGS_NO_TEXT,
    TICKETS_GO_DOWN,
    CHANGES_SELF,          /* in an init that refuses its sink */
    STAYS_OPEN_TO_NO_SINK, /* a shutdown that refuses its sink */
    LEAVES_A_PROCESS       /* in a session of its own, since the first init */
};
#define IS(odd) (ODD == (odd))

int32_t real_entry(const polaris_es_hello *in, polaris_es_welcome *out);

static const polaris_es_table *real; /* set when this object is loaded, and its table with it */
static polaris_es_table table;

static polaris_bytes bytes_of(const void *data, size_t size) {
    return (polaris_bytes){.data = data, .size = size};
}

/* A sink that the real plugin would take. */
static bool is_sink(const polaris_sink *reply) {
    return reply->size == sizeof *reply && reply->reserved == 0 && reply->write != NULL;
}

/* ---- the verbs ---- */

/* What a verb without a single op answers: it need not look at the request. */
static polaris_bytes unknown_op(void) {
    static const char REQUEST[] = "\x81\xa2op\xaano.such.op";
    return bytes_of(REQUEST, sizeof REQUEST - 1);
}

static int32_t odd_dlq(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    return real->dlq(self, IS(HAS_NO_LETTERS) ? unknown_op() : request, reply);
}

static int32_t odd_schema(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    return real->schema(self, IS(HAS_NO_SCHEMAS) ? unknown_op() : request, reply);
}

/* ---- init: what it prints, and leaves ---- */

static bool contains(polaris_bytes bytes, const char *text) {
    return bytes.data != NULL && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

/* Ends the process if what it prints is kept as a whole. */
static void print_a_lot(void) {
    static char piece[65536];
    struct stat out;
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 64; i++) {
        (void)!write(STDOUT_FILENO, piece, sizeof piece);
    }
    if (fstat(STDOUT_FILENO, &out) != 0 || out.st_size > 1 << 20) {
        abort();
    }
}

static void talk_and_crash(void) {
    for (int i = 0; i < 3000; i++) {
        (void)fprintf(stderr, "line %d of a build that has much to say\n", i);
    }
    (void)fputs("==1==ERROR: AddressSanitizer: heap-use-after-free\nmore of it\n", stderr);
    abort();
}

static void leave_a_process(void) {
    static bool done; /* before a store is open: the process would hold it */
    if (done) {
        return;
    }
    done = true;
    pid_t first = fork();
    if (first == 0) {
        (void)setsid();
        if (fork() == 0) {
            (void)sleep(60);
        }
        _exit(0);
    }
    (void)waitpid(first, NULL, 0);
}

static void log_no_text(const polaris_es_services *host) {
    if (host != NULL && host->size == sizeof *host && host->log != NULL) {
        host->log(host->context, POLARIS_ES_LOG_INFO, bytes_of("caf\xE9", 4));
    }
}

/* ---- init and query: ids from 1001 on ---- */

/* The path in a configuration. */
static bool read_path(polaris_bytes config, char ret_path[256]) {
    const uint8_t *at = config.data != NULL ? memmem(config.data, config.size, "\xa4path", 5) : NULL;
    if (at == NULL) {
        return false;
    }
    at += 5;
    size_t size = at[0] == 0xd9 ? at[1] : at[0] & 0x1f;
    memcpy(ret_path, at + (at[0] == 0xd9 ? 2 : 1), size);
    ret_path[size] = '\0';
    return true;
}

/* As if the first 1,000 events of the store were removed already. */
static void remove_a_thousand(const char *path) {
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "UPDATE store SET removed_last_id = 1000", NULL, NULL, NULL) != SQLITE_OK) {
        abort();
    }
    (void)sqlite3_close(db);
}

/* The last id of a store that has no event yet: 0, and not 1000. */
static int32_t forward(void *context, polaris_bytes piece) {
    const polaris_sink *reply = context;
    uint8_t copy[512];
    if (piece.size > sizeof copy) {
        return reply->write(reply->context, piece);
    }
    memcpy(copy, piece.data, piece.size);
    uint8_t *last = memmem(copy, piece.size, "\xa7last_id\xcd\x03\xe8", 11);
    if (last != NULL) {
        last[9] = last[10] = 0;
    }
    return reply->write(reply->context, bytes_of(copy, piece.size));
}

static int32_t odd_query(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    if (!IS(BEGINS_AT_1001) || reply == NULL || !is_sink(reply)) {
        return real->query(self, request, reply);
    }
    polaris_sink host = *reply;
    const polaris_sink sink = {.size = sizeof sink, .context = &host, .write = forward};
    return real->query(self, request, &sink);
}

static int32_t init_at_1001(const polaris_es_services *host, polaris_bytes config, const polaris_sink *reply,
                            polaris_es **ret_self) {
    struct captured captured, again;
    const polaris_sink sink = capture(&captured), other = capture(&again);
    polaris_es *self = NULL;
    char path[256];
    int32_t status = real->init(host, config, &sink, &self);
    if (status == POLARIS_ES_OK && memmem(captured.data, captured.size, "created\xc3", 8) != NULL &&
        read_path(config, path)) {
        (void)real->shutdown(self, (polaris_bytes){0}, NULL);
        remove_a_thousand(path);
        status = real->init(host, config, &other, &self);
    }
    bool refused = reply->write(reply->context, bytes_of(captured.data, captured.size)) != 0;
    if (status == POLARIS_ES_OK && refused) {
        (void)real->shutdown(self, (polaris_bytes){0}, NULL);
        return POLARIS_ES_REPLY_LOST;
    }
    if (status == POLARIS_ES_OK) {
        *ret_self = self;
    }
    return status;
}

/* ---- init ---- */

static int32_t odd_init(const polaris_es_services *host, polaris_bytes config, const polaris_sink *reply,
                        polaris_es **ret_self) {
    if (IS(CRASHES_IN_A_SECOND_PROCESS) && contains(config, "another process")) {
        abort();
    }
    if (IS(PRINTS_A_LOT)) {
        print_a_lot();
    } else if (IS(TALKS_AND_CRASHES)) {
        talk_and_crash();
    } else if (IS(LEAVES_A_PROCESS)) {
        leave_a_process();
    } else if (IS(LOGS_NO_TEXT)) {
        log_no_text(host);
    }
    if (IS(BEGINS_AT_1001) && reply != NULL && is_sink(reply) && ret_self != NULL) {
        return init_at_1001(host, config, reply, ret_self);
    }
    int32_t status = real->init(host, config, reply, ret_self);
    if (IS(CHANGES_SELF) && status == POLARIS_ES_INVALID && reply != NULL && !is_sink(reply) && ret_self != NULL) {
        *ret_self = NULL;
    }
    return status;
}

static int32_t odd_shutdown(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    if (IS(STAYS_OPEN_TO_NO_SINK) && reply != NULL && !is_sink(reply)) {
        return POLARIS_ES_INVALID;
    }
    return real->shutdown(self, request, reply);
}

/* ---- submit ---- */

#define TICKET_MAX (UINT64_C(1) << 40)

struct relay {
    polaris_es_completion host;
};

static void told(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct relay *relay = context;
    relay->host.done(relay->host.context, TICKET_MAX - ticket, status, reply);
    free(relay);
}

static int32_t odd_submit(polaris_es *self, polaris_bytes request, const polaris_es_completion *host,
                          uint64_t *ret_ticket) {
    if (!IS(TICKETS_GO_DOWN) || host == NULL || host->size != sizeof *host || host->reserved != 0 ||
        host->done == NULL) {
        return real->submit(self, request, host, ret_ticket);
    }
    struct relay *relay = malloc(sizeof *relay);
    relay->host = *host;
    const polaris_es_completion completion = {.size = sizeof completion, .context = relay, .done = told};
    uint64_t ticket = 0;
    int32_t status = real->submit(self, request, &completion, &ticket);
    if (status != POLARIS_ES_OK) {
        free(relay);
    } else if (ret_ticket != NULL) {
        *ret_ticket = TICKET_MAX - ticket;
    }
    return status;
}

static int32_t odd_cancel(polaris_es *self, uint64_t ticket) {
    return real->cancel(self, IS(TICKETS_GO_DOWN) && ticket < TICKET_MAX ? TICKET_MAX - ticket : ticket);
}

/* ---- the entry ---- */

static void describe(polaris_es_descriptor *descriptor) {
    if (IS(STEERS_A_TERMINAL)) {
        (void)snprintf(descriptor->version, sizeof descriptor->version, "%s", table.version);
        (void)snprintf(descriptor->build_id, sizeof descriptor->build_id, "%s", table.build_id);
    } else if (IS(CLAIMS_NO_FILE)) {
        descriptor->format_read_min = descriptor->format_read_max = descriptor->format_write = 0;
    } else if (IS(ENDS_NO_ID)) {
        memset(descriptor->id, 'i', sizeof descriptor->id);
    } else if (IS(HAS_ITS_OWN_SQLITE)) {
        descriptor->sqlite_linkage = POLARIS_ES_SQLITE_PRIVATE;
    } else if (IS(LINKS_IN_NO_WAY)) {
        descriptor->sqlite_linkage = POLARIS_ES_SQLITE_PRIVATE + 1;
    }
}

__attribute__((constructor)) static void make_table(void) {
    const polaris_es_hello in = {.size = sizeof in, .major_min = 1, .major_max = 1, .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome out = {.size = sizeof out};
    if (real_entry(&in, &out) != POLARIS_ES_OK) {
        return;
    }
    real = out.table;
    table = *real;
    table.init = odd_init;
    table.query = odd_query;
    table.dlq = odd_dlq;
    table.schema = odd_schema;
    table.shutdown = odd_shutdown;
    table.submit = odd_submit;
    table.cancel = odd_cancel;
    if (IS(HAS_NO_LETTERS)) {
        table.capabilities &= ~POLARIS_ES_CAN_DEAD_LETTERS;
    } else if (IS(HAS_NO_SCHEMAS)) {
        table.capabilities &= ~(POLARIS_ES_CAN_SCHEMAS | POLARIS_ES_CAN_VALIDATE);
    } else if (IS(STEERS_A_TERMINAL)) {
        table.name = "odd\033]0;title\007";
        table.version = "1\033[31m";
        table.build_id = "\xEF\xBF\xBE-\xEF\xBF\xBF-\xEF\xBF\xBD-\033[2J";
    }
}

__attribute__((visibility("default"))) int32_t polaris_event_store_entry(const polaris_es_hello *in,
                                                                         polaris_es_welcome *out) {
    int32_t status = real_entry(in, out);
    if (status != POLARIS_ES_OK) {
        return status;
    }
    out->table = &table;
    if (IS(MAKES_A_FILE_IN_THE_ENTRY)) {
        int fd = open("greeted", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        (void)(fd >= 0 ? close(fd) : 0);
    } else if (IS(ENDS_NO_REASON)) {
        memset(out->reason, 'r', sizeof out->reason);
    }
    polaris_es_descriptor *descriptor = out->descriptor;
    if (descriptor != NULL && descriptor->size >= sizeof *descriptor) {
        describe(descriptor);
    }
    return status;
}
