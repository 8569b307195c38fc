/* filters.c: every filter finds what a search by hand over all events finds, in the order asked for. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"

enum { EVENTS = 300, ROUNDS = 1500, NAMES = 4 };

static const char *const TYPES[NAMES] = {"t0", "t1", "t2", "t3"};
static const char *const TAGS[NAMES] = {"g0", "g1", "g2", "g3"};
static const char *const STREAMS[NAMES] = {"s0", "s1", "s2", "s3"};

/* What the store should know of each event, in plain C. */
struct model {
    int64_t id, time_us, recorded_us;
    unsigned type, tags;     /* tags: a set */
    int stream, correlation; /* < 0: none */
    bool marked;             /* metadata {} instead of none */
};

static struct model models[EVENTS];
static struct store store;
static uint64_t random_state;

static unsigned draw(unsigned below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

static void fill_store(void) {
    random_state = 7;
    store_open(&store, NULL);
    for (unsigned i = 0; i < EVENTS; i++) {
        store.now_us += draw(3) * 10;
        struct model *model = &models[i];
        *model = (struct model){.time_us = START_US + draw(200),
                                .recorded_us = store.now_us,
                                .type = draw(NAMES),
                                .tags = draw(1u << NAMES),
                                .stream = (int)draw(NAMES + 1) - 1,
                                .correlation = (int)draw(3) - 1,
                                .marked = draw(2) == 0};
        struct event event = event_of(TYPES[model->type]);
        event.has_time = true;
        event.time_us = model->time_us;
        for (unsigned tag = 0; tag < NAMES; tag++) {
            event = model->tags >> tag & 1 ? tagged(event, TAGS[tag]) : event;
        }
        event.stream = model->stream >= 0 ? text(STREAMS[model->stream]) : (struct bytes){0};
        event.correlation = model->correlation >= 0 ? text(model->correlation ? "c1" : "c0") : (struct bytes){0};
        event.metadata = model->marked ? BYTES_LITERAL("\x80") : (struct bytes){0};
        model->id = append(&store, event);
    }
}

static void empty_store(void) {
    store_done(&store);
}

TestSuite(filters, .init = fill_store, .fini = empty_store, .timeout = 240);

/* A filter and the same thing for the model. */
struct question {
    struct event_filter filter;
    unsigned types, any, all; /* sets; 0: no condition */
    int stream, correlation;  /* < 0: no condition; NAMES: one that does not exist */
    bool marked;
};

static bool is_marked(const void *context, struct bytes metadata) {
    (void)context;
    return bytes_present(metadata);
}

static struct question ask(void) {
    struct question question = {.stream = -1, .correlation = -1};
    struct event_filter *filter = &question.filter;
    question.types = draw(2) ? draw(1u << NAMES) : 0;
    question.any = draw(3) == 0 ? draw(1u << NAMES) : 0;
    question.all = draw(3) == 0 ? draw(1u << NAMES) : 0;
    for (unsigned i = 0; i < NAMES; i++) {
        if (question.types >> i & 1) {
            filter->types[filter->type_count++] = text(TYPES[i]);
        }
        if (question.any >> i & 1) {
            filter->tags_any[filter->tags_any_count++] = text(TAGS[i]);
        }
        if (question.all >> i & 1) {
            filter->tags_all[filter->tags_all_count++] = text(TAGS[i]);
        }
    }
    if (draw(4) == 0) {
        question.stream = (int)draw(NAMES + 1);
        filter->stream = text(question.stream < NAMES ? STREAMS[question.stream] : "unknown");
    }
    if (draw(4) == 0) {
        question.correlation = (int)draw(2);
        filter->correlation = text(question.correlation ? "c1" : "c0");
    }
    filter->has_time_from = draw(3) == 0;
    filter->has_time_to = draw(3) == 0;
    filter->time_from_us = START_US + draw(200);
    filter->time_to_us = START_US + draw(200);
    filter->has_recorded_from = draw(4) == 0;
    filter->has_recorded_to = draw(4) == 0;
    filter->recorded_from_us = START_US + draw(3000);
    filter->recorded_to_us = START_US + draw(3000);
    filter->has_after_id = draw(4) == 0;
    filter->has_before_id = draw(4) == 0;
    filter->after_id = draw(EVENTS);
    filter->before_id = draw(EVENTS);
    question.marked = draw(4) == 0;
    filter->metadata.holds = question.marked ? is_marked : NULL;
    return question;
}

static bool matches(const struct question *question, const struct model *model) {
    const struct event_filter *filter = &question->filter;
    return (question->types == 0 || (question->types >> model->type & 1)) &&
           (question->any == 0 || (question->any & model->tags) != 0) &&
           (question->all & model->tags) == question->all &&
           (question->stream < 0 || question->stream == model->stream) &&
           (question->correlation < 0 || question->correlation == model->correlation) &&
           (!filter->has_time_from || model->time_us >= filter->time_from_us) &&
           (!filter->has_time_to || model->time_us < filter->time_to_us) &&
           (!filter->has_recorded_from || model->recorded_us >= filter->recorded_from_us) &&
           (!filter->has_recorded_to || model->recorded_us < filter->recorded_to_us) &&
           (!filter->has_after_id || model->id > filter->after_id) &&
           (!filter->has_before_id || model->id < filter->before_id) && (!question->marked || model->marked);
}

static int by_id(const void *a, const void *b) {
    const struct model *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

static int by_time(const void *a, const void *b) {
    const struct model *left = a, *right = b;
    return left->time_us != right->time_us ? (left->time_us > right->time_us) - (left->time_us < right->time_us)
                                           : by_id(a, b);
}

static struct ids expected_ids(const struct question *question, const struct event_query *query) {
    struct model sorted[EVENTS];
    memcpy(sorted, models, sizeof sorted);
    qsort(sorted, EVENTS, sizeof sorted[0], query->order_by == ORDER_BY_TIME ? by_time : by_id);
    struct ids ids = {0};
    bool behind = !query->has_position;
    for (unsigned i = 0; i < EVENTS && (int64_t)ids.count < query->limit; i++) {
        const struct model *model = &sorted[query->descending ? EVENTS - 1 - i : i];
        if (behind && matches(question, model)) {
            ids.id[ids.count++] = model->id;
        }
        behind = behind || model->id == query->position.id;
    }
    return ids;
}

Test(filters, find_what_a_search_by_hand_finds_in_every_order_from_every_position) {
    for (int round = 0; round < ROUNDS; round++) {
        struct question question = ask();
        const struct model *at = &models[draw(EVENTS)];
        struct event_query query = {.filter = &question.filter,
                                    .order_by = draw(2) ? ORDER_BY_TIME : ORDER_BY_ID,
                                    .descending = draw(2),
                                    .has_position = draw(2),
                                    .position = {at->time_us, at->id},
                                    .limit = 1 + draw(EVENTS)};
        struct ids found = read_ids(&store, query);
        struct ids expected = expected_ids(&question, &query);
        cr_assert_eq(found.count, expected.count, "round %d: %zu found, %zu expected", round, found.count,
                     expected.count);
        cr_assert_arr_eq(found.id, expected.id, expected.count * sizeof expected.id[0], "round %d", round);
    }
}

Test(filters, count_what_a_search_by_hand_counts) {
    for (int round = 0; round < ROUNDS; round++) {
        struct question question = ask();
        int64_t expected = 0;
        int64_t found = -1;
        for (unsigned i = 0; i < EVENTS; i++) {
            expected += matches(&question, &models[i]);
        }
        cr_assert_eq(store.storage->ops->count_events(store.storage, &question.filter, &found, &store.error), OK, "%s",
                     store.error.message);
        cr_assert_eq(found, expected, "round %d", round);
    }
}

/* Adds up the buckets, and remembers whether they came in order. */
struct sum {
    int64_t total;
    int64_t buckets;
    int64_t last_start_us;
    bool ordered;
};

static bool add_bucket(void *context, const struct histogram_bucket *bucket) {
    struct sum *sum = context;
    sum->ordered =
        sum->ordered && (sum->buckets == 0 || bytes_present(bucket->type) || bucket->start_us > sum->last_start_us);
    sum->last_start_us = bucket->start_us;
    sum->total += bucket->count;
    sum->buckets++;
    return true;
}

Test(filters, make_histograms_whose_buckets_add_up_to_the_count) {
    for (int round = 0; round < ROUNDS; round++) {
        struct question question = ask();
        int64_t count = -1;
        struct sum sum = {.ordered = true};
        enum histogram_by by = (enum histogram_by)draw(3);
        cr_assert_eq(store.storage->ops->count_events(store.storage, &question.filter, &count, &store.error), OK);
        cr_assert_eq(store.storage->ops->histogram(store.storage, &question.filter, by, 1 + draw(50), add_bucket, &sum,
                                                   &store.error),
                     OK, "%s", store.error.message);
        cr_assert_eq(sum.total, count, "round %d", round);
        cr_assert(sum.ordered, "round %d", round);
    }
}
