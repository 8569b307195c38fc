/* captured.h: for builds with a fault: the reply of the real one, held back. */
#ifndef POLARIS_TESTS_SUPPORT_CAPTURED_H
#define POLARIS_TESTS_SUPPORT_CAPTURED_H

#include <polaris/event_store.h>
#include <string.h>

struct captured {
    uint8_t data[65536];
    size_t size;
};

static inline int32_t captured_take(void *context, polaris_bytes piece) {
    struct captured *captured = context;
    if (piece.size > sizeof captured->data - captured->size) {
        return 1;
    }
    memcpy(captured->data + captured->size, piece.data, piece.size);
    captured->size += piece.size;
    return 0;
}

/* A sink that fills it. */
static inline polaris_sink capture(struct captured *captured) {
    captured->size = 0;
    return (polaris_sink){.size = sizeof(polaris_sink), .context = captured, .write = captured_take};
}

#endif
