/* chapter_queries.c: questions to the store, each answer held against what is known from elsewhere. */
#include <string.h>

#include "demo/demo.h"
#include "monotonic.h"

enum { ROWS_SHOWN = 6 };

static const int64_t HOUR_US = INT64_C(3600000000);

/* What an event says, in a few words. */
static const char *tell(const json_t *event) {
    const json_t *data = json_object_get(event, "data");
    const json_t *properties = json_object_get(data, "properties");
    const char *to = json_string_value(json_object_get(data, "to"));
    if (to != NULL) {
        const char *version = json_string_value(json_object_get(properties, "version"));
        return show_text("%s %s %s%s%s%s", json_string_value(json_object_get(data, "from")),
                         json_string_value(json_object_get(data, "kind")), to, version != NULL ? " (" : "",
                         version != NULL ? version : "", version != NULL ? ")" : "");
    }
    const char *node = json_string_value(json_object_get(data, "node"));
    const char *version = json_string_value(json_object_get(properties, "version"));
    if (version != NULL) {
        return show_text("%s %s, %s, %s KiB", node, version, json_string_value(json_object_get(properties, "section")),
                         show_count((uint64_t)json_integer_value(json_object_get(properties, "size_kib"))));
    }
    const json_t *needed = json_object_get(properties, "needed_by");
    if (needed != NULL) {
        return show_text("%s is needed by %s packages", node, show_count((uint64_t)json_integer_value(needed)));
    }
    const json_t *checked = json_object_get(properties, "checked");
    return checked != NULL ? show_text("%s checked, number %s", node, show_count((uint64_t)json_integer_value(checked)))
                           : node;
}

static const char *member_count(const json_t *event, const char *name) {
    return show_text("%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(event, name)));
}

static void show_events(struct demo *demo, const json_t *events, bool with_version) {
    struct table table = {.titles = {">id", with_version ? ">version" : "happened", "type", "what"}};
    for (size_t i = 0; i < json_array_size(events) && i < ROWS_SHOWN; i++) {
        const json_t *event = json_array_get(events, i);
        table_row(&table, member_count(event, "id"),
                  with_version ? member_count(event, "version")
                               : show_time(json_integer_value(json_object_get(event, "time"))),
                  json_string_value(json_object_get(event, "type")), tell(event));
    }
    page_table(&demo->page, &table);
}

/* Asks for the events of a filter (stolen); *ret_us is how long it took. */
static json_t *ask_events(struct demo *demo, json_t *filter, const char *order_by, int64_t *ret_us) {
    int64_t start_us = monotonic_us();
    json_t *reply = demo_call(
        demo, HOST_QUERY,
        json_pack("{s: s, s: o, s: s, s: i}", "op", "events", "filter", filter, "order_by", order_by, "limit", 100000));
    *ret_us = monotonic_us() - start_us;
    return reply;
}

/* The package that most others need. */
static const struct package *most_needed(const struct demo *demo, size_t *ret_out, size_t *ret_in) {
    const struct package *most = &demo->packages.items[0];
    *ret_in = 0;
    for (size_t i = 0; i < demo->packages.count; i++) {
        size_t out = 0, in = 0;
        graph_degree(demo->graph, demo->packages.items[i].name, &out, &in);
        if (in > *ret_in) {
            most = &demo->packages.items[i];
            *ret_in = in;
        }
    }
    graph_degree(demo->graph, most->name, ret_out, ret_in);
    return most;
}

static bool ask_stream(struct demo *demo, const struct package *package) {
    int64_t us = 0;
    json_auto_t *reply = ask_events(demo, json_pack("{s: s+}", "stream", "node:", package->name), "id", &us);
    if (reply == NULL) {
        return false;
    }
    const json_t *events = json_object_get(reply, "events");
    size_t count = json_array_size(events);
    page_text(&demo->page, "The history of %s: %zu events in %s.", package->name, count, show_duration(us));
    show_events(demo, events, true);
    bool in_order = count > package->need_count;
    for (size_t i = 0; i < count; i++) {
        in_order =
            in_order && json_integer_value(json_object_get(json_array_get(events, i), "version")) == (int64_t)i + 1;
    }
    (void)page_claim(&demo->page, in_order, "its versions run from 1 to %zu without a gap", count);
    return true;
}

/* What touches a package: its own stream, and the edges of others that lead to it. */
static bool ask_tag(struct demo *demo, const struct package *package, size_t in) {
    int64_t us = 0;
    json_auto_t *reply = ask_events(
        demo, json_pack("{s: [s+], s: [s]}", "tags_all", "node:", package->name, "types", "edge_created"), "id", &us);
    if (reply == NULL) {
        return false;
    }
    const json_t *events = json_object_get(reply, "events");
    size_t to = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const char *name = json_string_value(json_object_get(json_object_get(json_array_get(events, i), "data"), "to"));
        to += name != NULL && strcmp(name, package->name) == 0;
    }
    page_text(&demo->page, "Edges that touch %s, by tag: %s events in %s.", package->name,
              show_count(json_array_size(events)), show_duration(us));
    show_events(demo, events, true);
    (void)page_claim(&demo->page, to == in, "%s of them lead to it, as many as the live graph has", show_count(to));
    return true;
}

static bool ask_histogram(struct demo *demo) {
    json_auto_t *reply = demo_call(demo, HOST_QUERY, json_pack("{s: s, s: s}", "op", "histogram", "by", "type"));
    json_auto_t *total = demo_call(demo, HOST_QUERY, json_pack("{s: s, s: {}}", "op", "count", "filter"));
    if (reply == NULL || total == NULL) {
        return false;
    }
    const json_t *buckets = json_object_get(reply, "buckets");
    struct table table = {.titles = {"type", ">events"}};
    json_int_t sum = 0;
    for (size_t i = 0; i < json_array_size(buckets); i++) {
        const json_t *bucket = json_array_get(buckets, i);
        json_int_t count = json_integer_value(json_object_get(bucket, "count"));
        table_row(&table, json_string_value(json_object_get(bucket, "type")), show_count((uint64_t)count));
        sum += count;
    }
    page_text(&demo->page, "Events by type.");
    page_table(&demo->page, &table);
    json_int_t count = json_integer_value(json_object_get(total, "count"));
    (void)page_claim(&demo->page, sum == count && (uint64_t)sum == graph_counts(demo->graph).applied,
                     "they add up to all %s events, as many as the live graph took", show_count((uint64_t)sum));
    return true;
}

/* The hour in which most packages were installed; 0: the times are not known. */
static int64_t busiest_hour(const struct packages *packages, size_t *ret_count) {
    int64_t busiest = 0;
    *ret_count = 0;
    for (size_t i = 0; i < packages->count; i++) {
        int64_t hour = packages->items[i].installed_us / HOUR_US;
        size_t count = 0;
        for (size_t j = 0; hour != 0 && j < packages->count; j++) {
            count += packages->items[j].installed_us / HOUR_US == hour;
        }
        if (count > *ret_count) {
            *ret_count = count;
            busiest = hour;
        }
    }
    return busiest * HOUR_US;
}

static bool ask_window(struct demo *demo) {
    size_t expected = 0;
    int64_t from_us = busiest_hour(&demo->packages, &expected);
    if (expected == 0) {
        return true; /* this dpkg does not say when it installed a package */
    }
    int64_t us = 0;
    json_auto_t *reply = ask_events(demo,
                                    json_pack("{s: I, s: I, s: [s]}", "from", (json_int_t)from_us, "to",
                                              (json_int_t)(from_us + HOUR_US), "types", "node_created"),
                                    "time", &us);
    if (reply == NULL) {
        return false;
    }
    json_auto_t *installed = json_array();
    const json_t *events = json_object_get(reply, "events");
    int64_t last_us = INT64_MIN;
    bool in_order = true;
    for (size_t i = 0; i < json_array_size(events); i++) {
        json_t *event = json_array_get(events, i);
        int64_t time_us = json_integer_value(json_object_get(event, "time"));
        in_order = in_order && time_us >= last_us && time_us >= from_us && time_us < from_us + HOUR_US;
        last_us = time_us;
        const json_t *properties = json_object_get(json_object_get(event, "data"), "properties");
        if (json_is_true(json_object_get(properties, "installed")) && json_array_append(installed, event) != 0) {
            return page_failure(&demo->page, "no memory for the events of an hour");
        }
    }
    page_text(&demo->page, "The busiest hour, from %s UTC: %s packages installed. Answered in %s.", show_time(from_us),
              show_count(json_array_size(installed)), show_duration(us));
    show_events(demo, installed, false);
    (void)page_claim(&demo->page, in_order && json_array_size(installed) == expected,
                     "dpkg knows of the same %s, and they come in the order of time", show_count(expected));
    return true;
}

bool chapter_queries(struct demo *demo) {
    page_section(&demo->page, "Questions");
    size_t out = 0, in = 0;
    const struct package *package = most_needed(demo, &out, &in);
    return ask_stream(demo, package) && ask_tag(demo, package, in) && ask_histogram(demo) && ask_window(demo);
}
