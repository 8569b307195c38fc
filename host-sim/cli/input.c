/* input.c: reading whole texts and single lines, so that an interrupt is never lost between a check and a read. */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

void text_done(struct text *text) {
    free(text->owned);
}

void memory_done(uint8_t **memory) {
    free(*memory);
}

bool text_borrow(const char *argument, struct text *ret_text, struct failure *failure) {
    (void)failure;
    *ret_text = (struct text){.data = argument, .size = strlen(argument)};
    return true;
}

static bool read_stream(FILE *stream, const char *name, struct text *ret_text, struct failure *failure) {
    CLEANUP(text_done) struct text text = {0};
    size_t capacity = 0;
    do {
        if (text.size == capacity) {
            capacity = capacity == 0 ? 65536 : 2 * capacity;
            char *more = realloc(text.owned, capacity);
            if (more == NULL) {
                return failure_set(failure, "reading %s: no memory for %zu bytes", name, capacity);
            }
            text.owned = more;
        }
        text.size += fread(text.owned + text.size, 1, capacity - text.size, stream);
    } while (!feof(stream) && !ferror(stream));
    if (ferror(stream)) {
        return failure_set(failure, "reading %s: %s", name, strerror(errno));
    }
    text.data = text.owned;
    *ret_text = text;
    text.owned = NULL; /* the caller owns it now */
    return true;
}

bool text_read_file(const char *path, struct text *ret_text, struct failure *failure) {
    FILE *stream = fopen(path, "re");
    if (stream == NULL) {
        return failure_set(failure, "cannot open '%s': %s", path, strerror(errno));
    }
    bool done = read_stream(stream, path, ret_text, failure);
    (void)fclose(stream);
    return done;
}

bool text_read_argument(const char *argument, struct text *ret_text, struct failure *failure) {
    if (argument[0] == '@') {
        return text_read_file(argument + 1, ret_text, failure);
    }
    if (strcmp(argument, "-") == 0) {
        return read_stream(stdin, "standard input", ret_text, failure);
    }
    return text_borrow(argument, ret_text, failure);
}

/* After the first interrupt, how long another one counts as the same. */
enum { INTERRUPT_SAME_MS = 200 };

static void fill_signals(sigset_t *signals) {
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
}

/* The thread that waits for the signals: once one came it lets them through, and the next one ends the program. */
static void *watch(void *context) {
    struct interrupt *interrupt = context;
    struct pollfd watched[2] = {{.fd = interrupt->stop_fd, .events = POLLIN},
                                {.fd = interrupt->signal_fd, .events = POLLIN}};
    struct signalfd_siginfo taken;
    while (poll(watched, 2, -1) < 0) {
    }
    if (watched[0].revents != 0) {
        return NULL;
    }
    (void)eventfd_write(interrupt->came_fd, 1); /* before the signal is taken: it can be seen all the time */
    if (poll(watched, 1, INTERRUPT_SAME_MS) != 0) {
        return NULL;
    }
    while (read(interrupt->signal_fd, &taken, sizeof taken) > 0) {
    }
    sigset_t signals;
    fill_signals(&signals);
    (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    while (poll(watched, 1, -1) < 0) {
    }
    return NULL;
}

static void interrupt_close(struct interrupt *interrupt) {
    const int fds[] = {interrupt->fd, interrupt->signal_fd, interrupt->came_fd, interrupt->stop_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    *interrupt = (struct interrupt){0};
}

/* Opens what `fd` stands for: a signal that nobody took yet, or word that one was taken. 0, or why not. */
static int interrupt_open(struct interrupt *interrupt, const sigset_t *signals) {
    *interrupt = (struct interrupt){
        .fd = epoll_create1(EPOLL_CLOEXEC),
        .signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK),
        .came_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    struct epoll_event readable = {.events = EPOLLIN};
    bool done = interrupt->fd >= 0 && interrupt->signal_fd >= 0 && interrupt->came_fd >= 0 && interrupt->stop_fd >= 0 &&
                epoll_ctl(interrupt->fd, EPOLL_CTL_ADD, interrupt->signal_fd, &readable) == 0 &&
                epoll_ctl(interrupt->fd, EPOLL_CTL_ADD, interrupt->came_fd, &readable) == 0;
    return done ? 0 : errno;
}

bool interrupt_init(struct interrupt *interrupt, struct failure *failure) {
    sigset_t signals;
    fill_signals(&signals);
    int error = interrupt_open(interrupt, &signals);
    error = error == 0 ? pthread_sigmask(SIG_BLOCK, &signals, NULL) : error;
    error = error == 0 ? pthread_create(&interrupt->thread, NULL, watch, interrupt) : error;
    if (error != 0) {
        interrupt_close(interrupt);
        return failure_set(failure, "cannot watch for interrupts: %s", strerror(error));
    }
    return true;
}

void interrupt_done(struct interrupt *interrupt) {
    if (interrupt->fd > 0) {
        (void)eventfd_write(interrupt->stop_fd, 1);
        (void)pthread_join(interrupt->thread, NULL);
        interrupt_close(interrupt);
    }
}

bool interrupt_came(struct interrupt *interrupt) {
    struct pollfd watched = {.fd = interrupt->fd, .events = POLLIN};
    if (!interrupt->came && poll(&watched, 1, 0) > 0) {
        interrupt->came = true;
    }
    return interrupt->came;
}

/* Waits for more bytes, or for an interrupt, and takes what is there. */
static enum line_result fill(struct line_reader *reader, struct interrupt *interrupt) {
    struct pollfd watched[3] = {{.fd = reader->fd, .events = POLLIN},
                                {.fd = interrupt->fd, .events = POLLIN},
                                {.fd = reader->wake_fd > 0 ? reader->wake_fd : -1, .events = POLLIN}};
    bool has_come = !interrupt->came && poll(watched, 3, -1) > 0;
    if (interrupt->came || (has_come && watched[1].revents != 0)) {
        interrupt->came = true;
        return LINE_INTERRUPTED;
    }
    if (has_come && watched[0].revents == 0 && watched[2].revents != 0) {
        return LINE_WOKEN;
    }
    if (reader->start > 0) {
        memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (reader->end == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? 65536 : 2 * reader->capacity;
        char *more = realloc(reader->buffer, capacity);
        if (more == NULL) {
            return LINE_FAILED;
        }
        reader->buffer = more;
        reader->capacity = capacity;
    }
    ssize_t got = read(reader->fd, reader->buffer + reader->end, reader->capacity - reader->end);
    if (got < 0) {
        return errno == EINTR || errno == EAGAIN ? LINE_READ : LINE_FAILED;
    }
    reader->at_end = got == 0;
    reader->end += (size_t)got;
    return LINE_READ;
}

/* Gives the line of `size` bytes that stands at the start, and steps over it and the newline. */
static enum line_result give(struct line_reader *reader, size_t size, size_t newline, const char **ret_line,
                             size_t *ret_size) {
    enum line_result result = reader->too_long ? LINE_TOO_LONG : LINE_READ;
    *ret_line = reader->buffer + reader->start;
    *ret_size = size;
    reader->start += size + newline;
    reader->passed += size + newline;
    reader->number++;
    reader->too_long = false;
    return result;
}

enum line_result line_read(struct line_reader *reader, struct interrupt *interrupt, const char **ret_line,
                           size_t *ret_size) {
    size_t searched = 0; /* so that a long line is not searched again from its start with each read */
    for (;;) {
        size_t held = reader->end - reader->start;
        char *newline =
            held > searched ? memchr(reader->buffer + reader->start + searched, '\n', held - searched) : NULL;
        if (newline != NULL) {
            return give(reader, (size_t)(newline - reader->buffer) - reader->start, 1, ret_line, ret_size);
        }
        if (reader->at_end) {
            if (held == 0 && !reader->too_long) {
                return LINE_END;
            }
            return give(reader, held, 0, ret_line, ret_size);
        }
        searched = held;
        if (held > LINE_SIZE_MAX) {
            reader->too_long = true;
            reader->passed += held;
            reader->start = reader->end = searched = 0;
        }
        enum line_result result = fill(reader, interrupt);
        if (result != LINE_READ) {
            return result;
        }
    }
}

void line_reader_done(struct line_reader *reader) {
    free(reader->buffer);
}
