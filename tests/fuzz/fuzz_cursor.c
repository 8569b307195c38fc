/* fuzz_cursor.c: cursors that a client made up: one of a listing, altered or not, is given to the same listing or to
 * another; so is one that was signed with the store's own key, but for a place that nobody was at. What was altered, or
 * is of another listing, is INVALID; with what is left the page is the one that follows that place, and so are all
 * after it.
 *
 * The input is two listings, how far the first one is read, and what becomes of its cursor. */
#include <sqlite3.h>

#include "boundary.h"
#include "cursor.h"
#include "require.h"
#include "seed.h"

enum { EVENTS = 14, PAGES_MAX = 64, TEXT_SIZE_MAX = 4 * CURSOR_TEXT_SIZE_MAX + 2 };

#define CONFIG "\"path\":\"events.db\",\"page_size\":512,\"readers\":1"

#define LISTING(verb, request, array, shared)                                                                          \
    { verb, request, array, shared, NULL, "" }
#define EVENTS_OF(rest) LISTING(VERB_ID_QUERY, "{\"op\":\"events\"" rest "}", "events", 0)
#define FILTER(filter) ",\"filter\":{" filter "}"

static struct listing {
    enum verb_id verb;
    const char *request, *array;
    int shared; /* not 0: cursors are good for all listings with that number */
    json_t *all;
    char cursor[CURSOR_TEXT_SIZE_MAX + 1]; /* behind the first entry */
} listings[] = {
    EVENTS_OF(""),
    EVENTS_OF(",\"order\":\"desc\""),
    EVENTS_OF(",\"order_by\":\"time\""),
    EVENTS_OF(",\"order\":\"desc\",\"order_by\":\"time\""),
    EVENTS_OF(FILTER("\"types\":[\"a\",\"v\"]")),
    EVENTS_OF(FILTER("\"types\":[\"a\",\"b\"],\"from\":0")),
    EVENTS_OF(FILTER("\"stream\":\"s\"")),
    EVENTS_OF(FILTER("\"stream\":\"s\"") ",\"order\":\"desc\""),
    EVENTS_OF(FILTER("\"tags_any\":[\"x\",\"node:1\"]")),
    EVENTS_OF(FILTER("\"tags_any\":[\"x\",\"y\"]") ",\"order_by\":\"time\""),
    EVENTS_OF(FILTER("\"tags_all\":[\"x\",\"node:0\"]") ",\"order\":\"desc\""),
    EVENTS_OF(FILTER("\"correlation\":\"open\",\"after_id\":2")),
    EVENTS_OF(FILTER("\"metadata\":{\"/user\":1}")),
    EVENTS_OF(FILTER("\"metadata\":{\"/user\":2},\"before_id\":9") ",\"order\":\"desc\",\"order_by\":\"time\""),
    LISTING(VERB_ID_QUERY, "{\"op\":\"streams\"}", "streams", 0),
    LISTING(VERB_ID_QUERY, "{\"op\":\"streams\",\"prefix\":\"node:\"}", "streams", 0),
    LISTING(VERB_ID_QUERY, "{\"op\":\"tags\"}", "tags", 0),
    LISTING(VERB_ID_QUERY, "{\"op\":\"tags\",\"prefix\":\"node:\"}", "tags", 0),
    LISTING(VERB_ID_QUERY, "{\"op\":\"batches\"}", "batches", 1),
    LISTING(VERB_ID_STORE, "{\"op\":\"batch.list\"}", "batches", 1),
    LISTING(VERB_ID_STORE, "{\"op\":\"batch.list\",\"state\":\"completed\"}", "batches", 0),
    LISTING(VERB_ID_DLQ, "{\"op\":\"list\"}", "entries", 0),
    LISTING(VERB_ID_DLQ, "{\"op\":\"list\",\"consumer\":\"c\"}", "entries", 0),
    LISTING(VERB_ID_DLQ, "{\"op\":\"list\",\"states\":[\"pending\",\"claimed\"]}", "entries", 0),
    LISTING(VERB_ID_DLQ, "{\"op\":\"list\",\"stream\":\"s\",\"with_events\":true}", "entries", 0),
    LISTING(VERB_ID_DLQ, "{\"op\":\"rejected.list\"}", "entries", 0),
    LISTING(VERB_ID_DLQ, "{\"op\":\"rejected.list\",\"type\":\"v\",\"states\":[\"waiting\"]}", "entries", 0),
    LISTING(VERB_ID_SCHEMA, "{\"op\":\"list\"}", "types", 0),
};
enum { LISTING_COUNT = sizeof listings / sizeof listings[0] };

static polaris_es *self;
static uint8_t secret[CURSOR_SECRET_SIZE];

/* ---- pages ---- */

/* `cursor` absent: from the beginning. A new reference to the reply. */
static json_t *ask(const struct listing *listing, struct bytes cursor, uint32_t limit, unsigned allowed) {
    json_t *request = NULL;
    json_t *reply = NULL;
    struct failure failure;
    struct wire_writer packed = {0};
    REQUIRE(message_parse(listing->request, strlen(listing->request), &request, &failure));
    REQUIRE(json_object_set_new(request, "limit", json_integer(limit)) == 0);
    /* Cursors are put behind the request as they are: they need not be UTF-8. */
    struct bytes head = boundary_pack_value(request);
    wire_put_raw(&packed, head);
    if (bytes_present(cursor)) {
        packed.buffer.data[0]++;
        wire_put_text(&packed, "cursor");
        wire_put_str(&packed, cursor);
    }
    (void)boundary_call(self, listing->verb, buffer_view(&packed.buffer), allowed, -1, &reply);
    free((void *)(uintptr_t)head.data);
    wire_writer_done(&packed);
    json_decref(request);
    return reply;
}

static struct bytes cursor_of(const json_t *reply) {
    const json_t *cursor = json_object_get(reply, "cursor");
    return (struct bytes){(const uint8_t *)json_string_value(cursor), json_string_length(cursor)};
}

static size_t place_of(const struct listing *listing, const json_t *entry) {
    size_t place = 0;
    while (place < json_array_size(listing->all) && !json_equal(json_array_get(listing->all, place), entry)) {
        place++;
    }
    REQUIRE(place < json_array_size(listing->all)); /* nothing is given that is not there */
    return place;
}

/* The page is a part of the listing without gaps, and all that is left of it when there is no more. */
static void check_page(const struct listing *listing, const json_t *reply, uint32_t limit, size_t *place) {
    const json_t *entries = json_object_get(reply, listing->array);
    size_t count = json_array_size(entries);
    bool more = json_is_true(json_object_get(reply, "more"));
    REQUIRE(json_is_array(entries) && count <= limit);
    if (*place == SIZE_MAX) { /* a cursor of nobody's: where it is, the first entry tells */
        *place = count > 0 ? place_of(listing, json_array_get(entries, 0)) : SIZE_MAX;
    }
    for (size_t i = 0; i < count; i++) {
        REQUIRE(json_equal(json_array_get(listing->all, *place + i), json_array_get(entries, i)));
    }
    REQUIRE(!more || limit == 0 || count == limit);
    if (*place != SIZE_MAX) {
        *place += count;
        REQUIRE(more || limit == 0 || *place == json_array_size(listing->all));
    }
}

/* From there to the end, page by page. */
static void read_on(const struct listing *listing, struct bytes cursor, uint32_t limit, size_t place) {
    char kept[CURSOR_TEXT_SIZE_MAX];
    bool more = true;
    for (int page = 0; more; page++) {
        REQUIRE(page < PAGES_MAX);
        json_t *reply = ask(listing, cursor, limit, MAY(OK));
        check_page(listing, reply, limit, &place);
        more = json_is_true(json_object_get(reply, "more")) && limit > 0;
        struct bytes next = cursor_of(reply);
        if (more) {
            REQUIRE(next.size <= sizeof kept);
            memcpy(kept, next.data, next.size);
            cursor = (struct bytes){(const uint8_t *)kept, next.size};
        }
        json_decref(reply);
    }
}

static void expect_invalid(const struct listing *listing, struct bytes cursor) {
    json_t *reply = ask(listing, cursor, 3, MAY(INVALID));
    const char *path = json_string_value(json_object_get(json_object_get(reply, "details"), "path"));
    REQUIRE(path != NULL && strcmp(path, "/cursor") == 0);
    json_decref(reply);
}

/* ---- cursors ---- */

static uint8_t digit(char c) {
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static uint8_t byte_at(const char *text, size_t at) {
    return (uint8_t)(digit(text[2 * at]) << 4 | digit(text[2 * at + 1]));
}

static int64_t choose_number(struct choices *in) {
    static const int64_t NUMBERS[] = {
        0, 1, 2, 5, 13, 14, 100, -1, INT64_MAX, INT64_MIN, 1767225600000000, 1767225599000000};
    uint64_t number = (uint64_t)NUMBERS[choose(in, sizeof NUMBERS / sizeof NUMBERS[0])];
    return (int64_t)(number + choose(in, 4));
}

/* One for a place of the listing's that nobody was at. */
static size_t forge(const struct listing *listing, struct choices *in, char ret_text[CURSOR_TEXT_SIZE_MAX]) {
    struct cursor_scope scope = {
        .op = (enum cursor_op)byte_at(listing->cursor, 1),
        .descending = (byte_at(listing->cursor, 2) & 1) != 0,
        .order_by = (byte_at(listing->cursor, 2) & 2) != 0 ? ORDER_BY_TIME : ORDER_BY_ID,
    };
    for (size_t i = 0; i < 8; i++) {
        scope.filter |= (uint64_t)byte_at(listing->cursor, 3 + i) << 8 * i;
    }
    struct cursor cursor = {.time_us = choose_number(in), .id = choose_number(in)};
    cursor_set_name(&cursor, choose_bytes(in, CURSOR_NAME_SIZE_MAX - 1));
    return cursor_encode(&cursor, &scope, secret, ret_text);
}

/* Somebody's text, or what is left of a cursor when it was altered. */
static size_t alter(struct choices *in, uint8_t *text, size_t size) {
    if (seldom(in, 4)) {
        struct bytes raw = choose_bytes(in, TEXT_SIZE_MAX);
        memcpy(text, raw.data, raw.size);
        return raw.size;
    }
    do {
        uint32_t at = size > 0 ? choose(in, (uint32_t)size) : 0;
        switch (choose(in, 5)) {
        case 0:
            size = at;
            break;
        case 1:
            text[size++] = (uint8_t)('0' + choose(in, 10));
            break;
        case 2:
            text[at] = (uint8_t) "0123456789abcdefABF g\xff"[choose(in, 22)];
            break;
        default:
            text[at] ^= (uint8_t)(1u << choose(in, 8));
            break;
        }
    } while (size < TEXT_SIZE_MAX - 1 && in->left > 0 && choose(in, 2) == 1);
    return size;
}

/* ---- the store ---- */

static void read_secret(void) {
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    REQUIRE(sqlite3_open(boundary_path("events.db"), &db) == SQLITE_OK);
    REQUIRE(sqlite3_prepare_v2(db, "SELECT secret FROM store", -1, &row, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_step(row) == SQLITE_ROW && sqlite3_column_bytes(row, 0) == sizeof secret);
    memcpy(secret, sqlite3_column_blob(row, 0), sizeof secret);
    REQUIRE(sqlite3_finalize(row) == SQLITE_OK && sqlite3_close(db) == SQLITE_OK);
}

/* No request changes anything: one instance serves all inputs. */
static void open_store(void) {
    polaris_es *writer = boundary_open("{" CONFIG "}");
    seed_events(writer, 0, EVENTS);
    seed_rest(writer);
    (void)boundary_shutdown(writer, (struct bytes){0}, MAY(OK));
    read_secret();
    self = boundary_open("{" CONFIG ",\"mode\":\"read\"}");
    for (size_t i = 0; i < LISTING_COUNT; i++) {
        struct bytes none = {0};
        json_t *first = ask(&listings[i], none, 1, MAY(OK));
        json_t *reply = ask(&listings[i], none, 1000, MAY(OK));
        struct bytes cursor = cursor_of(first);
        REQUIRE(cursor.size > 0 && cursor.size < sizeof listings[i].cursor);
        memcpy(listings[i].cursor, cursor.data, cursor.size);
        listings[i].all = json_incref(json_object_get(reply, listings[i].array));
        json_decref(first);
        json_decref(reply);
    }
}

/* A page of the first listing, and what its cursor is worth to the second one. */
static void fuzz(struct choices *in) {
    const struct listing *from = &listings[choose(in, LISTING_COUNT)];
    const struct listing *to = seldom(in, 2) ? &listings[choose(in, LISTING_COUNT)] : from;
    uint32_t first = 1 + choose(in, 8);
    uint32_t limit = choose(in, 6);
    uint8_t text[TEXT_SIZE_MAX + 1];
    json_t *reply = ask(from, (struct bytes){0}, first, MAY(OK));
    struct bytes genuine = cursor_of(reply);
    size_t place = json_array_size(json_object_get(reply, from->array));
    size_t size = genuine.size;
    memcpy(text, genuine.data, size);
    switch (choose(in, 4)) {
    case 0:
        size = forge(to, in, (char *)text);
        read_on(to, (struct bytes){text, size}, limit, SIZE_MAX);
        json_decref(reply);
        return;
    case 1:
        break;
    default:
        size = alter(in, text, size);
        break;
    }
    struct bytes cursor = {text, size};
    bool same_scope = from == to || (from->shared != 0 && from->shared == to->shared);
    if (bytes_equal(cursor, genuine) && same_scope) {
        read_on(to, cursor, limit, place);
    } else {
        expect_invalid(to, cursor);
    }
    json_decref(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct choices in = {data, size};
    (void)boundary_table();
    if (self == NULL) {
        open_store();
    }
    fuzz(&in);
    return 0;
}
