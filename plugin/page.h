/* page.h: one page of a listing: the request's `limit` and `cursor`, and the reply's array with `count`, `cursor`,
 * `more`.
 *
 * A visitor asks page_begin_entry() for room, writes one entry, and gives its place to page_end_entry(). */
#ifndef POLARIS_PLUGIN_PAGE_H
#define POLARIS_PLUGIN_PAGE_H

#include "cursor.h"
#include "wire/document.h"
#include "wire/writer.h"

struct page {
    /* the request */
    struct cursor_scope scope;
    const uint8_t *secret;
    int64_t limit;
    bool has_cursor;
    struct bytes cursor_text; /* as it came */
    struct cursor position;   /* of the cursor that came; then of the last entry given */

    /* the reply */
    struct wire_writer *reply;
    size_t size_max;
    size_t array;
    size_t entry;
    uint32_t count;
    bool more;
    bool has_position; /* `position` is worth a cursor of its own */
};

/* Reads `limit` and `cursor`. `size_max`: the page ends before the reply has more bytes than this. */
WARN_UNUSED enum status page_open(struct page *ret_page, struct wire_map *request, const struct cursor_scope *scope,
                                  const uint8_t *secret, struct error *error);

/* Asked of the storage: one more than wanted shows whether there is more. */
static inline int64_t page_limit_asked(const struct page *page) {
    return page->limit + 1;
}

/* Starts the reply's array. */
void page_begin(struct page *page, struct wire_writer *reply, size_t reply_size_max, const char *array_name);
/* False: the page is full; stop. */
WARN_UNUSED bool page_begin_entry(struct page *page);
/* False: the entry was one too large for this page and was taken back; stop. Otherwise `place` is where the page ends.
 */
WARN_UNUSED bool page_end_entry(struct page *page, const struct cursor *place);
/* Nothing else up to `place` matches: the next page may begin behind it. Ignored when the page is not the last one. */
void page_skip_to(struct page *page, const struct cursor *place);
/* Ends the array and writes `count`, `more` and `cursor`. Returns how many pairs the page has put into the reply's map.
 */
uint32_t page_end(struct page *page);

#endif
