/* ingest_tell.c: what `ingest` says of bad lines, of what validation found, and at its end. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/findings.h"
#include "cli/ingest.h"
#include "monotonic.h"

void tell_bad_line(struct ingest *ingest, uint64_t line, const char *what) {
    progress_clear(&ingest->progress);
    (void)fprintf(stderr, "line %" PRIu64 "%s\n", line, what);
    ingest->refused++;
}

void tell_refused(struct ingest *ingest, uint64_t line, int32_t status, const json_t *error, const char *rest) {
    const char *message = json_string_value(json_object_get(error, "message"));
    progress_clear(&ingest->progress);
    (void)fprintf(stderr, "line %" PRIu64 ": %s", line, status_name(status));
    if (status == POLARIS_ES_REJECTED && error != NULL) {
        (void)fputs(": ", stderr);
        findings_print_error(stderr, error);
    } else {
        (void)fprintf(stderr, "%s%s: %s\n", *rest != '\0' ? " at " : "", rest,
                      message != NULL ? message : "the plugin gave no message");
    }
    ingest->refused++;
}

/* What validation found in events that the store took, whether as events (warned of) or as rejected entries. */
static void tell_findings(struct ingest *ingest, const struct request *request, const json_t *maps) {
    for (size_t i = 0; i < json_array_size(maps); i++) {
        const json_t *map = json_array_get(maps, i);
        const json_t *id = json_object_get(map, "id"); /* of a rejected entry */
        json_int_t index = json_integer_value(json_object_get(map, "index"));
        progress_clear(&ingest->progress);
        if (index >= 0 && (uint64_t)index < request->count) {
            (void)fprintf(stderr, "line %" PRIu64 ": ", request->events[index].line);
        }
        if (id != NULL) {
            (void)fprintf(stderr, "not valid, kept as rejected entry %" JSON_INTEGER_FORMAT "\n",
                          json_integer_value(id));
        } else {
            (void)fputs("stored, but not valid\n", stderr);
        }
        findings_print(stderr, map);
    }
}

void tell_stored(struct ingest *ingest, const struct request *request, const json_t *reply) {
    const json_t *ids = json_object_get(reply, "ids");
    json_int_t duplicates = json_integer_value(json_object_get(reply, "duplicates"));
    const json_t *rejected = json_object_get(reply, "rejected");
    tell_findings(ingest, request, rejected);
    tell_findings(ingest, request, json_object_get(reply, "warnings"));
    ingest->duplicates += (uint64_t)duplicates;
    ingest->kept += json_array_size(rejected);
    ingest->stored += request->count - (uint64_t)duplicates - json_array_size(rejected);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (!json_is_integer(json_array_get(ids, i))) { /* kept as a rejected entry */
            continue;
        }
        int64_t id = json_integer_value(json_array_get(ids, i));
        ingest->first_id = ingest->first_id == 0 || id < ingest->first_id ? id : ingest->first_id;
        ingest->last_id = id > ingest->last_id ? id : ingest->last_id;
    }
}

void tell_waiting(struct ingest *ingest, size_t count) {
    progress_clear(&ingest->progress);
    (void)fprintf(stderr,
                  "interrupted: waiting for %zu request%s that the plugin has begun; the next interrupt ends it\n",
                  count, count == 1 ? "" : "s");
}

/* What is stored behind the line to go on from. */
static void tell_stored_already(const struct ingest *ingest) {
    const char *separator = "; stored already:";
    for (size_t i = 0; i < ingest->request_count; i++) {
        const struct request *request = ingest->requests[i];
        if (request->state == REQUEST_STORED) {
            (void)printf("%s lines %" PRIu64 " to %" PRIu64, separator, request->events[0].line,
                         request->events[request->count - 1].line);
            separator = ",";
        }
    }
}

void tell_summary(const struct ingest *ingest) {
    double elapsed_s = (double)(monotonic_us() - ingest->progress.started_us + 1) / 1e6;
    (void)printf("stored %" PRIu64 " event%s in %.2f s (%.0f/s)", ingest->stored, ingest->stored == 1 ? "" : "s",
                 elapsed_s, (double)ingest->stored / elapsed_s);
    if (ingest->stored == 1) {
        (void)printf(", id %" PRId64, ingest->last_id);
    } else if (ingest->stored > 1) {
        (void)printf(", ids %" PRId64 " to %" PRId64, ingest->first_id, ingest->last_id);
    }
    if (ingest->duplicates > 0) {
        (void)printf("; %" PRIu64 " were there before, under their keys", ingest->duplicates);
    }
    if (ingest->refused > 0) {
        (void)printf("; %" PRIu64 " line%s refused", ingest->refused, ingest->refused == 1 ? "" : "s");
    }
    if (ingest->kept > 0) {
        (void)printf("; %" PRIu64 " kept as rejected entries", ingest->kept);
    }
    if (ingest->resume_line > 0) {
        (void)printf("; ended early: go on from line %" PRIu64, ingest->resume_line);
        tell_stored_already(ingest);
    }
    (void)putchar('\n');
}
