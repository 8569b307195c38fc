/* fuzz_json.c: what the command line takes from files and arguments: JSON text as messages, lines of events, times; and
 * replies of any bytes, printed as JSON. What is taken maps both ways without loss; what is refused is told in one line
 * that no terminal minds.
 *
 * The first byte says which of them; the rest is the text. */
#include <sys/mman.h>
#include <unistd.h>

#include "bytes.h"
#include "cleanup.h"
#include "cli/input.h"
#include "cli/instant.h"
#include "message/message.h"
#include "require.h"

enum { EVENTS_MAX = 16 };

static void require_told(const struct failure *failure) {
    const char *message = failure->message;
    REQUIRE(message[0] != '\0' && strlen(message) < sizeof failure->message);
    json_t *text = json_string(message); /* NULL: no UTF-8 */
    REQUIRE(text != NULL);
    json_decref(text);
    for (; *message != '\0'; message++) {
        REQUIRE((unsigned char)*message >= ' ' && *message != 0x7F);
    }
}

/* ---- messages ---- */

static json_t *unpack(const uint8_t *data, size_t size) {
    json_t *value = NULL;
    struct failure failure;
    REQUIRE(message_unpack(data, size, &value, &failure));
    return value;
}

/* A value that came from msgpack: its text is read back as the same. */
static void print_and_parse(const json_t *value) {
    char *text = message_print(value);
    json_t *again = NULL;
    uint8_t *packed = NULL;
    size_t size = 0;
    struct failure failure;
    REQUIRE(text != NULL && strchr(text, '\n') == NULL);
    REQUIRE(message_parse(text, strlen(text), &again, &failure));
    REQUIRE(message_pack(again, &packed, &size, &failure));
    json_t *last = unpack(packed, size);
    char *same = message_print(last);
    REQUIRE(same != NULL && strcmp(text, same) == 0);
    free(same);
    json_decref(last);
    free(packed);
    json_decref(again);
    free(text);
}

static void take_text(struct bytes text) {
    json_t *value = NULL;
    uint8_t *packed = NULL;
    uint8_t *again = NULL;
    size_t size = 0;
    size_t size_again = 0;
    struct failure failure;
    if (!message_parse((const char *)text.data, text.size, &value, &failure)) {
        require_told(&failure);
        return;
    }
    if (message_pack(value, &packed, &size, &failure)) {
        json_t *back = unpack(packed, size);
        print_and_parse(back);
        REQUIRE(message_pack(back, &again, &size_again, &failure));
        REQUIRE(size == size_again && memcmp(packed, again, size) == 0);
        json_decref(back);
    } else {
        require_told(&failure);
    }
    free(packed);
    free(again);
    json_decref(value);
}

static void take_reply(struct bytes data) {
    json_t *value = NULL;
    struct failure failure;
    if (message_unpack(data.data, data.size, &value, &failure)) {
        print_and_parse(value);
        json_decref(value);
    } else {
        require_told(&failure);
    }
}

/* ---- lines ---- */

struct events {
    json_t *values;
    polaris_bytes packed[EVENTS_MAX];
    size_t count;
};

static void take_line(struct events *events, const char *line, size_t size, uint64_t number) {
    json_t *event = NULL;
    uint8_t *packed = NULL;
    size_t packed_size = 0;
    struct failure failure;
    if (!message_parse_line(line, size, number, &event, &failure)) {
        require_told(&failure);
        /* What `ingest` tells of it follows the number that it tells itself. */
        REQUIRE(failure.message[strcspn(failure.message, ",")] == ',');
        return;
    }
    if (!message_pack(event, &packed, &packed_size, &failure)) {
        require_told(&failure);
    } else if (events->count < EVENTS_MAX) {
        REQUIRE(json_array_append_new(events->values, unpack(packed, packed_size)) == 0);
        events->packed[events->count++] = (polaris_bytes){packed, packed_size};
        packed = NULL;
    }
    free(packed);
    json_decref(event);
}

static void check_append(const struct events *events) {
    uint8_t *packed = NULL;
    size_t size = 0;
    struct failure failure;
    REQUIRE(message_pack_append(events->packed, events->count, &packed, &size, &failure));
    json_t *request = unpack(packed, size);
    REQUIRE(json_equal(json_object_get(request, "events"), events->values));
    json_decref(request);
    free(packed);
}

/* All lines come, each in whole, whatever bytes they have. */
static void take_lines(struct bytes text) {
    int fd = memfd_create("lines", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, text.data, text.size) == (ssize_t)text.size && lseek(fd, 0, SEEK_SET) == 0);
    struct interrupt never = {.fd = -1};
    struct line_reader reader = {.fd = fd};
    struct events events = {.values = json_array()};
    const char *line = NULL;
    size_t size = 0;
    size_t at = 0;
    enum line_result result;
    while ((result = line_read(&reader, &never, &line, &size)) == LINE_READ) {
        REQUIRE(at + size <= text.size && (size == 0 || memcmp(text.data + at, line, size) == 0));
        at += size;
        REQUIRE(at == text.size || text.data[at] == '\n');
        at += at < text.size ? 1 : 0;
        take_line(&events, line, size, reader.number);
    }
    REQUIRE(result == LINE_END && at == text.size);
    check_append(&events);
    for (size_t i = 0; i < events.count; i++) {
        free((void *)(uintptr_t)events.packed[i].data);
    }
    json_decref(events.values);
    line_reader_done(&reader);
    (void)close(fd);
}

/* ---- times ---- */

static void take_instant(struct bytes input) {
    char text[128];
    char printed[INSTANT_TEXT_SIZE];
    size_t size = input.size < sizeof text - 1 ? input.size : sizeof text - 1;
    memcpy(text, input.data, size);
    text[size] = '\0';
    int64_t us = 0;
    int64_t again = 0;
    if (instant_parse(text, &us)) {
        instant_print(us, printed);
        /* Four digits alone are never taken, so the smallest of the bare numbers are not either. */
        REQUIRE((instant_parse(printed, &again) && again == us) || strlen(printed) == 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = {size > 1 ? data + 1 : (const uint8_t *)"", size > 1 ? size - 1 : 0};
    switch (size > 0 ? data[0] % 4 : 0) {
    case 0:
        take_text(rest);
        break;
    case 1:
        take_reply(rest);
        break;
    case 2:
        take_lines(rest);
        break;
    default:
        take_instant(rest);
        break;
    }
    return 0;
}
