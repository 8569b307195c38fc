/* file_edits.c: bytes of a database and of its log. */
#include "file_edits.h"

#include "require.h"

enum { WAL_HEAD = 32, FRAME_HEAD = 24, EXTENT_MAX = 1 << 20, COUNT_MAX = 12 };

void store_files_done(struct store_files *files) {
    buffer_done(&files->db);
    buffer_done(&files->wal);
}

void store_files_copy(struct store_files *to, const struct store_files *from) {
    *to = (struct store_files){0};
    REQUIRE(buffer_append(&to->db, from->db.data, from->db.size));
    REQUIRE(buffer_append(&to->wal, from->wal.data, from->wal.size));
}

/* ---- integers as SQLite writes them ---- */

static uint32_t get_big(const uint8_t *at, size_t width) {
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static void put_big(uint8_t *at, uint32_t value, size_t width) {
    for (size_t i = 0; i < width; i++) {
        at[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    }
}

static size_t page_size_of(const struct buffer *db) {
    size_t size = db->size >= 18 ? get_big(db->data + 16, 2) : 512;
    return size == 1 ? 65536 : size < 512 ? 512 : size;
}

/* ---- the log ---- */

static void add_checksum(const uint8_t *data, size_t size, bool big, uint32_t sum[2]) {
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint32_t words[2];
        for (size_t j = 0; j < 2; j++) {
            const uint8_t *at = data + i + 4 * j;
            words[j] = big ? get_big(at, 4) : __builtin_bswap32(get_big(at, 4));
        }
        sum[0] += words[0] + sum[1];
        sum[1] += words[1] + sum[0];
    }
}

static void put_checksum(uint8_t *at, const uint32_t sum[2]) {
    put_big(at, sum[0], 4);
    put_big(at + 4, sum[1], 4);
}

/* So that the log is believed. */
static void sign_log(struct buffer *wal) {
    uint32_t sum[2] = {0, 0};
    if (wal->size < WAL_HEAD) {
        return;
    }
    bool big = (get_big(wal->data, 4) & 1) != 0;
    size_t page_size = get_big(wal->data + 8, 4);
    add_checksum(wal->data, 24, big, sum);
    put_checksum(wal->data + 24, sum);
    if (page_size < 512 || page_size > 65536) {
        return;
    }
    for (size_t at = WAL_HEAD; at + FRAME_HEAD + page_size <= wal->size; at += FRAME_HEAD + page_size) {
        memcpy(wal->data + at + 8, wal->data + 16, 8); /* the salts */
        add_checksum(wal->data + at, 8, big, sum);
        add_checksum(wal->data + at + FRAME_HEAD, page_size, big, sum);
        put_checksum(wal->data + at + 16, sum);
    }
}

/* ---- edits ---- */

/* Somewhere in a page, more often in its head, where what matters most stands. */
static size_t choose_place(struct choices *in, size_t begin, size_t page_size) {
    return begin + choose(in, seldom(in, 2) ? (uint32_t)page_size : 24);
}

static void overwrite(struct buffer *buffer, size_t at, struct choices *in) {
    static const uint32_t NUMBERS[] = {0, 1, 2, 3, 8, 12, 100, 127, 128, 255, 256, 511, 512, 32767, 65535, UINT32_MAX};
    size_t width = (size_t)1 << choose(in, 3);
    if (at + width > buffer->size) {
        return;
    }
    switch (choose(in, 4)) {
    case 0:
        buffer->data[at] ^= (uint8_t)(1u << choose(in, 8));
        return;
    case 1:
        put_big(buffer->data + at, NUMBERS[choose(in, sizeof NUMBERS / sizeof NUMBERS[0])], width);
        return;
    case 2:
        put_big(buffer->data + at, get_big(buffer->data + at, width) + (choose(in, 2) == 0 ? 1u : UINT32_MAX), width);
        return;
    default:
        break;
    }
    struct bytes bytes = choose_bytes(in, 32);
    memcpy(buffer->data + at, bytes.data, bytes.size < buffer->size - at ? bytes.size : buffer->size - at);
}

/* Units: pages of the file, frames of the log. */
static void edit_units(struct buffer *buffer, size_t head, size_t unit, size_t unit_head, struct choices *in) {
    size_t count = buffer->size > head ? (buffer->size - head) / unit : 0;
    if (count == 0) {
        return;
    }
    size_t begin = head + unit * choose(in, (uint32_t)count);
    size_t other = head + unit * choose(in, (uint32_t)count);
    switch (choose(in, 8)) {
    case 0:
        memmove(buffer->data + begin + unit_head, buffer->data + other + unit_head, unit - unit_head);
        return;
    case 1:
        memset(buffer->data + begin + unit_head, (int)choose(in, 256), unit - unit_head);
        return;
    case 2:
        overwrite(buffer, begin + choose(in, (uint32_t)(unit_head > 0 ? 8 : 100)),
                  in); /* the head of the frame or file */
        return;
    default:
        overwrite(buffer, choose_place(in, begin + unit_head, unit - unit_head), in);
        return;
    }
}

static void resize(struct buffer *buffer, struct choices *in) {
    size_t size = buffer->size > 0 ? choose(in, (uint32_t)buffer->size) : 0;
    if (seldom(in, 3)) {
        size_t more = 512 * (size_t)(1 + choose(in, 16));
        REQUIRE(buffer_reserve(buffer, more));
        memset(buffer->data + buffer->size, (int)choose(in, 256), more);
        size = buffer->size + more;
    }
    buffer->size = size;
}

void file_edits_bytes(struct store_files *files, struct choices *in) {
    bool sign = choose(in, 4) != 3;
    for (int i = 0; i < COUNT_MAX && in->left > 0; i++) {
        size_t page_size = page_size_of(&files->db);
        switch (choose(in, 8)) {
        case 0:
            edit_units(&files->db, 0, files->db.size < 100 ? 1 : 100, 0, in); /* of the file's head, mostly */
            break;
        case 1:
            resize(seldom(in, 2) ? &files->wal : &files->db, in);
            break;
        case 2:
        case 3:
            if (files->wal.size > 0) {
                edit_units(&files->wal, WAL_HEAD, FRAME_HEAD + page_size, FRAME_HEAD, in);
                break;
            }
            edit_units(&files->db, 0, page_size, 0, in);
            break;
        case 4:
            if (files->wal.size >= WAL_HEAD) {
                overwrite(&files->wal, choose(in, WAL_HEAD), in);
            }
            break;
        default:
            edit_units(&files->db, 0, page_size, 0, in);
            break;
        }
    }
    if (sign) {
        sign_log(&files->wal);
    }
}
