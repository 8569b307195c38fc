/* page.c: reading what page is wanted, and writing it. */
#include "page.h"

/* Room for what follows the array in a reply: the cursor's text and a few short fields. */
enum { REPLY_TAIL_SIZE_MAX = 1024 };
_Static_assert(CURSOR_TEXT_SIZE_MAX + 256 < REPLY_TAIL_SIZE_MAX, "the cursor fits into the tail");

enum status page_open(struct page *ret_page, struct wire_map *request, const struct cursor_scope *scope,
                      const uint8_t *secret, struct error *error) {
    *ret_page = (struct page){.scope = *scope, .secret = secret, .limit = PAGE_LIMIT_DEFAULT};
    enum status status = wire_map_int(request, "limit", OPTIONAL, 0, PAGE_LIMIT_MAX, &ret_page->limit, error);
    if (status != OK) {
        return status;
    }
    /* Far longer text is refused by its size alone; what is a bit too long, by cursor_decode with better words. */
    status =
        wire_map_text(request, "cursor", OPTIONAL, (size_t)4 * CURSOR_TEXT_SIZE_MAX, &ret_page->cursor_text, error);
    if (status != OK || !bytes_present(ret_page->cursor_text)) {
        return status;
    }
    ret_page->has_cursor = true;
    return cursor_decode(ret_page->cursor_text, scope, secret, &ret_page->position, error);
}

void page_begin(struct page *page, struct wire_writer *reply, size_t reply_size_max, const char *array_name) {
    page->reply = reply;
    page->size_max = reply_size_max - REPLY_TAIL_SIZE_MAX;
    wire_put_text(reply, array_name);
    page->array = wire_open_array(reply);
}

bool page_begin_entry(struct page *page) {
    if ((int64_t)page->count >= page->limit) {
        page->more = true;
        return false;
    }
    page->entry = page->reply->buffer.size;
    return true;
}

bool page_end_entry(struct page *page, const struct cursor *place) {
    if (page->reply->failed) {
        return false; /* told by wire_writer_check */
    }
    if (page->count > 0 && page->reply->buffer.size > page->size_max) {
        wire_rollback(page->reply, page->entry);
        page->more = true;
        return false;
    }
    page->position = *place;
    page->has_position = true;
    page->count++;
    return true;
}

void page_skip_to(struct page *page, const struct cursor *place) {
    if (!page->more && page->limit > 0) {
        page->position = *place;
        page->has_position = true;
    }
}

uint32_t page_end(struct page *page) {
    wire_close(page->reply, page->array, page->count);
    wire_put_text(page->reply, "count");
    wire_put_int(page->reply, page->count);
    wire_put_text(page->reply, "more");
    wire_put_bool(page->reply, page->more);
    if (page->has_position) {
        char text[CURSOR_TEXT_SIZE_MAX];
        size_t size = cursor_encode(&page->position, &page->scope, page->secret, text);
        wire_put_text(page->reply, "cursor");
        wire_put_str(page->reply, (struct bytes){.data = (const uint8_t *)text, .size = size});
        return 4;
    }
    if (page->has_cursor) {
        /* Nothing came after it: the same cursor serves to go on later. */
        wire_put_text(page->reply, "cursor");
        wire_put_str(page->reply, page->cursor_text);
        return 4;
    }
    return 3;
}
