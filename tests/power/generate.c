/* generate.c: requests of every kind that changes a store. Some are refused, always in the same way. */
#include "generate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "torture/random.h"

static uint32_t below(struct generator *g, uint32_t bound) {
    return random_below(&g->random, bound);
}

static bool chance(struct generator *g, uint32_t percent) {
    return below(g, 100) < percent;
}

__attribute__((format(printf, 2, 3))) static void put(struct generator *g, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(g->text + g->size, TEXT_SIZE - g->size, format, args);
    va_end(args);
    g->size += (size_t)size;
}

/* ---- store ---- */

/* Mostly small, now and then over some pages. */
static void put_padding(struct generator *g) {
    uint32_t size = chance(g, 8) ? 1000 + below(g, 7000) : below(g, 200);
    for (uint32_t i = 0; i < size && g->size < TEXT_SIZE - 1024; i++) {
        g->text[g->size++] = (char)('a' + below(g, 26));
    }
    g->text[g->size] = '\0';
}

static void put_event(struct generator *g, bool may_have_key) {
    int64_t number = g->next_number++;
    bool has_schema = g->has_policy && chance(g, 20);
    put(g, "{'type': '%c', 'data': {", has_schema ? 'v' : 'a' + (char)below(g, 4));
    put(g, has_schema && chance(g, 40) ? "'m': %lld" : "'n': %lld", (long long)number);
    put(g, ", 'pad': '");
    put_padding(g);
    put(g, "'}");
    if (chance(g, 40)) {
        put(g, ", 'stream': 's%u'", below(g, 5));
    }
    if (chance(g, 50)) {
        put(g, ", 'tags': ['t%u', 'u%u']", below(g, 8), below(g, 30));
    }
    if (may_have_key && chance(g, 30)) {
        put(g, ", 'key': 'k%lld'", (long long)number);
    }
    if (chance(g, 20)) {
        put(g, ", 'metadata': {'user': %u}, 'correlation': 'c%u', 'time': %u", below(g, 5), below(g, 5),
            below(g, 1000));
    }
    put(g, "}");
}

static void put_events(struct generator *g) {
    uint32_t count = chance(g, 40) ? 2 + below(g, 10) : 1;
    put(g, "'events': [");
    for (uint32_t i = 0; i < count; i++) {
        put(g, i > 0 ? ", " : "");
        put_event(g, true);
    }
    put(g, "]}");
}

static void generate_append(struct generator *g) {
    if (g->keyed[0] != '\0' && chance(g, 10)) {
        put(g, "%s", g->keyed); /* once more, as if the reply had been lost */
        return;
    }
    if (chance(g, 6)) {
        put(g, "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's0', 'expected_version': 'none'}}");
        return;
    }
    put(g, "{'op': 'append', ");
    put_events(g);
    if (strstr(g->text, "'key'") != NULL) {
        memcpy(g->keyed, g->text, g->size + 1);
    }
}

static void generate_batch(struct generator *g) {
    if (g->batches == 0 || g->drafts < 0) {
        put(g, "{'op': 'batch.create', 'id': 'b%d', 'metadata': {'n': 1}}", ++g->batches);
        g->drafts = 0;
        return;
    }
    if (g->drafts > 1 && chance(g, 50)) {
        bool completes = chance(g, 75);
        put(g, "{'op': 'batch.%s', 'id': 'b%d'}", completes ? "complete" : "abort", g->batches);
        g->drafts = -1;
        return;
    }
    put(g, "{'op': 'batch.append', 'id': 'b%d', ", g->batches);
    put_events(g);
    g->drafts++;
}

/* ---- dead letters, schemas ---- */

static void generate_dead_letter(struct generator *g) {
    static const char *const OPS[] = {"redrive", "purge", "count"};
    uint32_t consumer = below(g, 2);
    g->verb = "dlq";
    if (g->claimed_id != 0) {
        bool resolves = chance(g, 60);
        put(g, "{'op': '%s', 'id': %lld, 'token': %lld%s}", resolves ? "resolve" : "fail", (long long)g->claimed_id,
            (long long)g->claimed_token, resolves ? "" : ", 'error': {'message': 'again'}");
        g->claimed_id = 0;
    } else if (g->last_id > 0 && chance(g, 45)) {
        put(g,
            "{'op': 'put', 'event_id': %u, 'consumer': 'c%u', 'delay_us': 0,"
            " 'error': {'class': 'E%u', 'message': 'it failed'}}",
            1 + below(g, (uint32_t)g->last_id), consumer, below(g, 9));
    } else if (chance(g, 60)) {
        put(g, "{'op': '%s', 'consumer': 'c%u', 'limit': 2}", chance(g, 70) ? "claim" : "retry", consumer);
    } else if (chance(g, 30)) {
        put(g, "{'op': 'discard', 'id': %u, 'reason': 'no'}", 1 + below(g, 5));
    } else {
        put(g, "{'op': '%s', 'consumer': 'c%u'}", OPS[below(g, 3)], consumer);
    }
}

static void generate_schema(struct generator *g) {
    if (g->rejected_id != 0 && chance(g, 50)) {
        g->verb = "dlq";
        if (chance(g, 60)) {
            put(g, "{'op': 'rejected.resubmit', 'id': %lld, 'event': {'type': 'v', 'data': {'n': %lld}}}",
                (long long)g->rejected_id, (long long)g->next_number++);
        } else {
            put(g, "{'op': 'rejected.discard', 'id': %lld, 'reason': 'no'}", (long long)g->rejected_id);
        }
        g->rejected_id = 0;
        return;
    }
    g->verb = "schema";
    if (g->schemas > 0 && !g->has_policy) {
        put(g, "{'op': 'policy', 'type': 'v', 'policy': 'dead_letter'}");
        g->has_policy = true;
    } else if (g->schemas > 1 && !g->is_retired && chance(g, 30)) {
        put(g, "{'op': 'retire', 'type': 'v', 'version': %d}", g->schemas);
        g->is_retired = true;
    } else if (g->schemas > 0 && chance(g, 40)) {
        put(g, "{'op': 'policy', 'type': 'v', 'policy': '%s'}", chance(g, 60) ? "dead_letter" : "warn");
    } else {
        put(g, "{'op': 'put', 'type': 'v', 'schema': {'type': 'object', 'required': ['n'], 'title': 'number %d'}}",
            ++g->schemas);
        g->is_retired = false;
    }
}

/* ---- the next one ---- */

void generate(struct generator *g) {
    g->size = 0;
    g->text[0] = '\0';
    g->verb = "store";
    g->how = HOW_CALL;
    if (g->submits_left > 0) {
        g->submits_left--;
        g->how = HOW_SUBMIT;
    }
    uint32_t kind = below(g, g->how == HOW_SUBMIT ? 55 : 100);
    if (kind < 42) {
        generate_append(g);
    } else if (kind < 60) {
        generate_batch(g);
    } else if (kind < 80) {
        generate_dead_letter(g);
    } else if (kind < 88) {
        generate_schema(g);
    } else if (kind < 96) {
        g->submits_left = 2 + (int)below(g, 9);
        generate_append(g);
    } else {
        g->how = kind < 98 ? HOW_REOPEN : HOW_REOPEN_WITH_LOG;
    }
}

void generate_note(struct generator *g, const json_t *reply) {
    const json_t *last_id = json_object_get(reply, "last_id");
    const json_t *entry = json_array_get(json_object_get(reply, "entries"), 0);
    const json_t *rejected = json_array_get(json_object_get(reply, "rejected"), 0);
    if (last_id != NULL) {
        g->last_id = json_integer_value(last_id);
    }
    if (json_object_get(entry, "token") != NULL) {
        g->claimed_id = json_integer_value(json_object_get(entry, "id"));
        g->claimed_token = json_integer_value(json_object_get(entry, "token"));
    }
    if (json_object_get(rejected, "id") != NULL) {
        g->rejected_id = json_integer_value(json_object_get(rejected, "id"));
    }
}
