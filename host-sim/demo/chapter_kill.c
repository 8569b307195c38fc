/* chapter_kill.c: a child process is killed in the middle of appends; everything that it was told is stored is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo/child.h"
#include "demo/demo.h"
#include "graph/replay.h"
#include "message/message.h"
#include "monotonic.h"
#include "owned.h"

enum { ACKNOWLEDGED_BEFORE_KILL = 400, SILENCE_MS_MAX = 20000, ARGUMENTS_MAX = 16 };

struct acknowledged {
    int64_t id;
    char key[CHILD_KEY_SIZE];
    bool found;
};

/* What the child reported, and what the store holds of it. */
struct report {
    char *text;
    size_t size, capacity;
    struct acknowledged *items; /* in the order of ids */
    size_t count;
    size_t stored;    /* events of the child in the store */
    size_t confirmed; /* of these, acknowledged under the same id and key */
    size_t twice;     /* acknowledged ids found more than once */
    struct demo *demo;
};

static void report_done(struct report *report) {
    free(report->text);
    free(report->items);
}

/* Starts this program again as the child, with its standard output in a pipe. */
static bool start_child(const struct demo_options *options, pid_t *ret_pid, int *ret_fd, struct failure *failure) {
    CLEANUP(freep) char *config = options->config != NULL ? message_print(options->config) : NULL;
    char *arguments[ARGUMENTS_MAX] = {NULL};
    size_t count = 0;
#define ARGUMENT(text) arguments[count++] = (char *)(uintptr_t)(text)
    ARGUMENT(options->program_path);
    ARGUMENT("--plugin"), ARGUMENT(options->plugin_path);
    ARGUMENT("--db"), ARGUMENT(options->db_path);
    if (options->loader.allow_unsafe) {
        ARGUMENT("--allow-unsafe");
    }
    if (config != NULL) {
        ARGUMENT("--config"), ARGUMENT(config);
    }
    ARGUMENT("demo"), ARGUMENT("--" CHILD_OPTION);
    if (options->packages_path != NULL) {
        ARGUMENT("--packages"), ARGUMENT(options->packages_path);
    }
#undef ARGUMENT
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return failure_set(failure, "no pipe to the child: %s", strerror(errno));
    }
    CLEANUP(fd_closep) int write_end = ends[1];
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code == 0) {
        code = posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
        code = code != 0 ? code : posix_spawn(ret_pid, options->program_path, &actions, NULL, arguments, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    if (code != 0) {
        (void)close(ends[0]);
        return failure_set(failure, "cannot start the child '%s': %s", options->program_path, strerror(code));
    }
    *ret_fd = ends[0];
    return true;
}

/* Reads what the pipe has; *ret_ended: the child's end is closed. False: no memory, or the child has gone silent. */
static bool read_more(struct report *report, int fd, bool *ret_ended, struct failure *failure) {
    if (report->size == report->capacity) {
        size_t capacity = report->capacity == 0 ? 65536 : 2 * report->capacity;
        char *grown = realloc(report->text, capacity);
        if (grown == NULL) {
            return failure_set(failure, "no memory for what the child reports");
        }
        report->text = grown;
        report->capacity = capacity;
    }
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int ready = poll(&wanted, 1, SILENCE_MS_MAX);
    if (ready < 0 && errno == EINTR) {
        return true;
    }
    if (ready <= 0) {
        return failure_set(failure, "the child reported nothing for %d seconds", SILENCE_MS_MAX / 1000);
    }
    ssize_t size = read(fd, report->text + report->size, report->capacity - report->size);
    if (size < 0 && errno != EINTR) {
        return failure_set(failure, "cannot read what the child reports: %s", strerror(errno));
    }
    *ret_ended = size == 0;
    report->size += size > 0 ? (size_t)size : 0;
    return true;
}

static size_t count_lines(const struct report *report) {
    size_t count = 0;
    for (size_t i = 0; i < report->size; i++) {
        count += report->text[i] == '\n';
    }
    return count;
}

/* Listens until enough was acknowledged, kills the child in the middle of the next append, and reads what it still
 * managed to say. */
static bool listen_and_kill(struct report *report, pid_t pid, int fd, int *ret_status, struct failure *failure) {
    bool ended = false, killed = false, listening = true;
    while (listening && !ended) {
        listening = read_more(report, fd, &ended, failure);
        if (!killed && (!listening || count_lines(report) >= ACKNOWLEDGED_BEFORE_KILL)) {
            killed = true;
            (void)kill(pid, SIGKILL);
        }
    }
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR) {
    }
    if (listening && !killed) {
        return failure_set(failure, "the child ended by itself");
    }
    return listening;
}

static int compare_acknowledged(const void *left, const void *right) {
    const struct acknowledged *a = left;
    const struct acknowledged *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static bool parse_report(struct report *report, struct failure *failure) {
    size_t lines = count_lines(report);
    report->items = calloc(lines + 1, sizeof *report->items);
    if (report->items == NULL) {
        return failure_set(failure, "no memory for %zu acknowledgements", lines);
    }
    const char *line = report->text;
    for (size_t i = 0; i < lines; i++) {
        char *end = memchr(line, '\n', report->size - (size_t)(line - report->text));
        *end = '\0';
        if (sscanf(line, CHILD_LINE_SCAN, &report->items[i].id, report->items[i].key) != 2) {
            return failure_set(failure, "the child reported '%s'", line);
        }
        line = end + 1;
    }
    report->count = lines;
    qsort(report->items, report->count, sizeof *report->items, compare_acknowledged);
    return true;
}

/* An event that came while this process did not look: the live graph takes it, and the report ticks it off. */
static bool catch_up(void *context, const json_t *event, struct failure *failure) {
    struct report *report = context;
    report->stored++;
    struct acknowledged wanted = {.id = json_integer_value(json_object_get(event, "id"))};
    struct acknowledged *found = bsearch(&wanted, report->items, report->count, sizeof wanted, compare_acknowledged);
    const char *key = json_string_value(json_object_get(event, "key"));
    if (found != NULL && key != NULL && strcmp(found->key, key) == 0) {
        report->twice += found->found;
        report->confirmed += !found->found;
        found->found = true;
    }
    if (graph_apply(report->demo->graph, event) == GRAPH_NO_MEMORY) {
        return failure_set(failure, "no memory for the graph");
    }
    return true;
}

static int compare_keys(const void *left, const void *right) {
    const char *const *a = left;
    const char *const *b = right;
    return strcmp(*a, *b);
}

/* No two acknowledgements name the same event. False, too, without memory to find out. */
static bool all_different(const struct report *report) {
    const char **keys = calloc(report->count + 1, sizeof *keys);
    if (keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < report->count; i++) {
        keys[i] = report->items[i].key;
    }
    qsort(keys, report->count, sizeof *keys, compare_keys);
    bool different = true;
    for (size_t i = 1; i < report->count; i++) {
        different = different && strcmp(keys[i - 1], keys[i]) != 0 && report->items[i - 1].id != report->items[i].id;
    }
    free(keys);
    return different;
}

static bool reopen(struct demo *demo, struct report *report, int64_t *ret_us, struct failure *failure) {
    int64_t start_us = monotonic_us();
    if (!demo_open_host(demo->options, &demo->clock, "polaris demo", &demo->host, failure)) {
        return false;
    }
    *ret_us = monotonic_us() - start_us;
    json_auto_t *filter = json_pack("{s: I}", "after_id", (json_int_t)demo->last_id);
    struct replay_options options = {.filter = filter};
    struct replay_result result;
    if (filter == NULL) {
        return failure_set(failure, "no memory to look for the events");
    }
    if (!replay_each(demo->host, &options, catch_up, report, &result, failure)) {
        return false;
    }
    demo->last_id = result.last_id;
    return true;
}

static void show_report(struct demo *demo, const struct report *report, pid_t pid, int status, int64_t open_us) {
    size_t unheard = report->stored - report->confirmed;
    page_figure(&demo->page, "acknowledged to the child", show_count(report->count), "before SIGKILL hit process %ld",
                (long)pid);
    page_figure(&demo->page, "found in the store", show_count(report->stored),
                "%zu of them committed, their acknowledgement still on its way", unheard);
    page_figure(&demo->page, "store open again after", show_duration(open_us), "the log was recovered");
    (void)page_claim(&demo->page, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && report->count > 0,
                     "the child died of the signal, without a chance to tidy up");
    (void)page_claim(&demo->page, report->confirmed == report->count && report->twice == 0 && all_different(report),
                     "every acknowledged event is there, under its id and key, exactly once");
    (void)page_claim(&demo->page, unheard <= CHILD_THREADS,
                     "beyond them there is at most the one append of each thread");
}

bool chapter_kill(struct demo *demo) {
    page_section(&demo->page, "A process is killed while it appends");
    page_text(&demo->page,
              "Another process opens the store and checks package after package from %d threads, one event a request. "
              "It reports each acknowledgement through a pipe, until it is killed with SIGKILL.",
              CHILD_THREADS);
    publisher_freep(&demo->publisher);
    host_close(demo->host); /* there is one writer per file */
    demo->host = NULL;
    CLEANUP(report_done) struct report report = {.demo = demo};
    CLEANUP(fd_closep) int fd = -1;
    pid_t pid = 0;
    int status = 0;
    int64_t open_us = 0;
    struct failure failure;
    if (!start_child(demo->options, &pid, &fd, &failure) || !listen_and_kill(&report, pid, fd, &status, &failure) ||
        !parse_report(&report, &failure) || !reopen(demo, &report, &open_us, &failure)) {
        return page_failure(&demo->page, "%s", failure.message);
    }
    show_report(demo, &report, pid, status, open_us);
    return true;
}
