/* input.h: text that comes from arguments, files and standard input: whole, or line by line. */
#ifndef POLARIS_HOST_INPUT_H
#define POLARIS_HOST_INPUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"
#include "failure.h"

/* Bytes read, or borrowed if `owned` is NULL. Zeroed is empty; text_done() frees it. */
struct text {
    const char *data;
    size_t size;
    char *owned;
};
void text_done(struct text *text);
void memory_done(uint8_t **memory); /* free(), for CLEANUP */

bool text_borrow(const char *argument, struct text *ret_text, struct failure *failure) WARN_UNUSED;
bool text_read_file(const char *path, struct text *ret_text, struct failure *failure) WARN_UNUSED;

/* An argument as the command line has it: the text itself, @FILE, or - for standard input. */
bool text_read_argument(const char *argument, struct text *ret_text, struct failure *failure) WARN_UNUSED;

/* ---- Interrupts: SIGINT and SIGTERM, taken when it suits ---- */

/* Blocks both signals in this thread and in those that it starts, and gives a descriptor that can be read once one
 * came. A second one ends the program, whatever hangs in it; not at once, as timeout(1) sends two. Call it before the
 * plugin is loaded: its threads must not be the ones that get them. It stays where it is until interrupt_done(). */
struct interrupt {
    int fd; /* readable from the moment that the first signal is sent */
    bool came;
    int signal_fd, came_fd, stop_fd; /* of the thread that takes the signals */
    pthread_t thread;
};
bool interrupt_init(struct interrupt *interrupt, struct failure *failure) WARN_UNUSED;
void interrupt_done(struct interrupt *interrupt);
bool interrupt_came(struct interrupt *interrupt);

/* ---- Lines ---- */

#define LINE_SIZE_MAX ((size_t)128 << 20)

enum line_result {
    LINE_READ,
    LINE_END,
    LINE_TOO_LONG,    /* longer than LINE_SIZE_MAX: left out, reading goes on behind it */
    LINE_INTERRUPTED, /* while waiting for input */
    LINE_WOKEN,       /* while waiting for input: wake_fd can be read; reading may go on */
    LINE_FAILED       /* errno says why */
};

/* Reads lines of any length up to the limit; each is good until the next call. Zeroed but for `fd` is ready. */
struct line_reader {
    int fd;
    int wake_fd;     /* 0: none */
    uint64_t number; /* of the last line given, from 1 */
    uint64_t passed; /* bytes given so far */
    char *buffer;
    size_t capacity, start, end;
    bool at_end, too_long; /* too_long: in the middle of such a line */
};
enum line_result line_read(struct line_reader *reader, struct interrupt *interrupt, const char **ret_line,
                           size_t *ret_size) WARN_UNUSED;
void line_reader_done(struct line_reader *reader);

#endif
