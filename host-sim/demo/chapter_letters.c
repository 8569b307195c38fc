/* chapter_letters.c: a subscriber fails, its events go to the dead letters, and come back. */
#include <stdatomic.h>
#include <string.h>

#include "demo/demo.h"

static const char *const CONSUMER = "search-index";
static const int64_t MINUTE_US = INT64_C(60000000);

/* What the dead letters of the search index say of themselves. */
struct letters {
    int64_t pending, parked, resolved, live;
};

static bool count_letters(struct demo *demo, struct letters *ret_letters) {
    json_auto_t *reply = demo_call(demo, HOST_DLQ, json_pack("{s: s, s: s}", "op", "count", "consumer", CONSUMER));
    if (reply == NULL) {
        return false;
    }
    const json_t *consumer = json_array_get(json_object_get(reply, "consumers"), 0);
    int64_t claimed = json_integer_value(json_object_get(consumer, "claimed"));
    ret_letters->pending = json_integer_value(json_object_get(consumer, "pending"));
    ret_letters->parked = json_integer_value(json_object_get(consumer, "parked"));
    ret_letters->resolved = json_integer_value(json_object_get(consumer, "resolved"));
    ret_letters->live = ret_letters->pending + ret_letters->parked + claimed;
    return true;
}

/* The state of the story: one row of the table for each step. */
struct story {
    struct demo *demo;
    struct table table;
    int64_t minutes; /* since the failures */
    struct retry_report last;
    struct letters letters;
};

static void add_row(struct story *story, const char *what) {
    table_row(&story->table,
              show_text("%lld:%02lld", (long long)(story->minutes / 60), (long long)(story->minutes % 60)), what,
              show_count(story->last.claimed), show_count(story->last.resolved),
              show_count((uint64_t)story->letters.pending), show_count((uint64_t)story->letters.parked));
}

/* Lets time pass without waiting for it, and tries what is due. */
static bool try_again(struct story *story, int64_t minutes, const char *what) {
    struct demo *demo = story->demo;
    struct failure failure;
    (void)atomic_fetch_add(&demo->clock.ahead_us, minutes * MINUTE_US);
    story->minutes += minutes;
    if (!publisher_retry(demo->publisher, CONSUMER, 100000, &story->last, &failure)) {
        return page_failure(&demo->page, "%s", failure.message);
    }
    if (!count_letters(demo, &story->letters)) {
        return false;
    }
    add_row(story, what);
    return true;
}

/* How many of the packages the index fails on now, and how many of these for the length of their names. */
static void count_failing(const struct demo *demo, int64_t *ret_failing, int64_t *ret_too_long) {
    *ret_failing = 0;
    *ret_too_long = 0;
    for (size_t i = 0; i < demo->packages.count; i++) {
        const char *name = demo->packages.items[i].name;
        *ret_failing += search_index_fails(&demo->index, name);
        *ret_too_long += strlen(name) > demo->index.name_size_max;
    }
}

static bool redrive(struct story *story, int64_t *ret_count) {
    json_auto_t *reply =
        demo_call(story->demo, HOST_DLQ,
                  json_pack("{s: s, s: s, s: [s]}", "op", "redrive", "consumer", CONSUMER, "states", "parked"));
    *ret_count = json_integer_value(json_object_get(reply, "count"));
    return reply != NULL;
}

static bool tell_story(struct story *story, int64_t failing, int64_t too_long) {
    struct page *page = &story->demo->page;
    struct search_index *index = &story->demo->index;
    if (!try_again(story, 0, "right after: nothing is due yet")) {
        return false;
    }
    bool waited = story->last.claimed == 0 && story->letters.pending == failing;
    if (!try_again(story, 2, "the shard is still down")) {
        return false;
    }
    bool failed_again = story->last.failed == (uint64_t)failing;
    index->shard_down = SHARD_COUNT;
    if (!try_again(story, 5, "the shard is back")) {
        return false;
    }
    bool came_back = story->last.resolved == (uint64_t)(failing - too_long);
    if (!try_again(story, 13, "the column is still too short")) {
        return false;
    }
    bool parked = story->last.parked == (uint64_t)too_long && story->letters.parked == too_long;
    if (!try_again(story, 40, "what is parked is left alone")) {
        return false;
    }
    parked = parked && story->last.claimed == 0;
    index->name_size_max++;
    int64_t redriven = 0;
    if (!redrive(story, &redriven) || !try_again(story, 0, "the column is widened, and redrive")) {
        return false;
    }
    bool all_back = redriven == too_long && story->last.resolved == (uint64_t)too_long && story->letters.live == 0;
    if (!try_again(story, 60, "an hour later")) {
        return false;
    }
    bool stays_resolved = story->last.claimed == 0 && story->letters.resolved == failing;
    page_table(page, &story->table);
    (void)page_claim(page, waited, "each failure left one dead letter, none of them handed out before it was due");
    (void)page_claim(page, failed_again && came_back, "%lld of them came back by themselves once the shard did",
                     (long long)(failing - too_long));
    (void)page_claim(
        page, parked && all_back, "%s that failed three retries %s parked, and came back after the redrive",
        too_long == 1 ? "the one" : show_text("the %lld", (long long)too_long), too_long == 1 ? "was" : "were");
    (void)page_claim(page, stays_resolved, "what succeeded was never handed out again");
    return true;
}

/* One failure of each class, as the store kept it. */
static bool show_examples(struct demo *demo) {
    json_auto_t *reply = demo_call(
        demo, HOST_DLQ,
        json_pack("{s: s, s: s, s: i, s: b}", "op", "list", "consumer", CONSUMER, "limit", 1000, "with_events", 1));
    const json_t *entries = json_object_get(reply, "entries");
    struct table table = {.titles = {"class", "first failed on", "because of"}};
    for (size_t i = 0; i < json_array_size(entries) && table.row_count < 2; i++) {
        const json_t *entry = json_array_get(entries, i);
        const json_t *failure = json_array_get(json_object_get(entry, "failures"), 0);
        const char *class_name = json_string_value(json_object_get(failure, "class"));
        const json_t *data = json_object_get(json_object_get(entry, "event"), "data");
        if (class_name != NULL && (table.row_count == 0 || strcmp(table.cells[0][0], class_name) != 0)) {
            table_row(&table, class_name, json_string_value(json_object_get(data, "node")),
                      json_string_value(json_object_get(failure, "message")));
        }
    }
    page_table(&demo->page, &table);
    return reply != NULL;
}

bool chapter_letters(struct demo *demo) {
    page_section(&demo->page, "A subscriber fails, and everything comes back");
    page_text(&demo->page,
              "During the ingest a search index listened, too. One of its shards was down, and the longest of "
              "the names did not fit its column. What it failed on waits in the store as dead letters. The "
              "clock is the demo's: minutes pass without waiting for them.");
    int64_t failing = 0, too_long = 0;
    count_failing(demo, &failing, &too_long);
    struct publisher_counts counts = publisher_counts(demo->publisher);
    page_figure(&demo->page, "dead letters", show_count(counts.failed), "of %s deliveries",
                show_count(counts.delivered + counts.failed));
    if (!show_examples(demo)) {
        return false;
    }
    struct story story = {
        .demo = demo,
        .table = {.titles = {">clock", "", ">tried", ">came back", ">pending", ">parked"}},
    };
    if (!tell_story(&story, failing, too_long)) {
        return false;
    }
    size_t found = 0;
    for (size_t i = 0; i < demo->packages.count; i++) {
        found += search_index_has(&demo->index, demo->packages.items[i].name);
    }
    (void)page_claim(&demo->page, found == demo->packages.count && demo->index.count == found && demo->index.twice == 0,
                     "the index holds every one of the %s packages, and was given none of them twice",
                     show_count(demo->packages.count));
    return true;
}
