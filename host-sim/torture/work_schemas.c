/* work_schemas.c: the thread that puts schemas, and appends what they allow and what they do not. */
#include <stdlib.h>

#include "torture/work.h"

static int64_t put_schema(struct worker *worker, int64_t version) {
    tell(worker, RECORD_SCHEMA_BEGIN, 0, version, 0, 0);
    json_t *reply =
        ask(SCHEMA, MAY(OK), "{\"op\":\"put\",\"type\":\"s\",\"schema\":" CHECKED_SCHEMA "}", (long long)version);
    EXPECT(number(reply, "version") == version, "the schema %lld became version %lld", (long long)version,
           (long long)number(reply, "version"));
    json_decref(reply);
    end_if_failed();
    tell(worker, RECORD_SCHEMA, 0, version, 0, 0);
    return version;
}

static void append_checked(struct worker *worker, int64_t version, bool wrong) {
    int n = worker->n++;
    json_t *reply = ask(STORE, wrong ? MAY(REJECTED) : MAY(OK),
                        "{\"op\":\"append\",\"event\":{\"type\":\"s\",\"key\":\"%d/%d/%d/0\",\"data\":{\"v\":%lld}}}",
                        worker->ledger->round, worker->thread, n, (long long)version - wrong);
    int64_t id = json_integer_value(json_array_get(json_object_get(reply, "ids"), 0));
    tell(worker, wrong ? RECORD_REFUSED : RECORD_TOLD, n, id, 0, 0);
    json_decref(reply);
}

/* Becomes a rejected entry. Returns its id. */
static int64_t append_incomplete(struct worker *worker) {
    int n = worker->n++;
    json_t *reply =
        ask(STORE, MAY(OK), "{\"op\":\"append\",\"event\":{\"type\":\"kept\",\"key\":\"%d/%d/%d/0\",\"data\":{}}}",
            worker->ledger->round, worker->thread, n);
    int64_t id = number(json_array_get(json_object_get(reply, "rejected"), 0), "id");
    EXPECT(id > 0, "an event that is not allowed became no entry");
    end_if_failed();
    tell(worker, RECORD_KEPT, n, id, 0, 0);
    json_decref(reply);
    return id;
}

static void resubmit(struct worker *worker, int64_t id) {
    tell(worker, RECORD_RESUBMITTING, 0, id, 0, 0);
    json_t *reply = ask(DLQ, MAY(OK),
                        "{\"op\":\"rejected.resubmit\",\"id\":%lld,"
                        "\"event\":{\"type\":\"kept\",\"data\":{\"ok\":%lld}}}",
                        (long long)id, (long long)id);
    tell(worker, RECORD_RESUBMITTED, 0, id, number(reply, "id"), 0);
    json_decref(reply);
}

static int64_t latest;  /* version of the schema */
static int64_t waiting; /* an entry; 0: none */

static void begin(struct worker *worker) {
    const struct ledger *ledger = worker->ledger;
    latest = ledger->schema_version > 0 ? ledger->schema_version : put_schema(worker, 1);
    json_decref(ask(SCHEMA, MAY(OK), "{\"op\":\"put\",\"type\":\"kept\",\"schema\":" KEPT_SCHEMA "}"));
    json_decref(ask(SCHEMA, MAY(OK), "{\"op\":\"policy\",\"type\":\"kept\",\"policy\":\"dead_letter\"}"));
    for (int i = 0; i < ledger->kept_count; i++) {
        waiting = ledger->kept[i].event_id == 0 ? ledger->kept[i].id : waiting;
    }
}

void work_on_schemas(struct worker *worker) {
    int step = worker->step++;
    if (step == 0) {
        begin(worker);
    }
    switch (schema_step(worker->ledger->seed, worker->ledger->round, step)) {
    case SCHEMA_APPEND:
        append_checked(worker, latest, false);
        break;
    case SCHEMA_APPEND_WRONG:
        append_checked(worker, latest, true);
        break;
    case SCHEMA_PUT:
        latest = put_schema(worker, latest + 1);
        break;
    case SCHEMA_KEEP:
        waiting = append_incomplete(worker);
        break;
    case SCHEMA_RESUBMIT:
        if (waiting > 0) {
            resubmit(worker, waiting);
            waiting = 0;
        }
        break;
    }
}
