/* process.h: the process of one check. */
#ifndef POLARIS_CHECK_PROCESS_H
#define POLARIS_CHECK_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "check/output.h"
#include "check/run.h"

struct process {
    pid_t id; /* 0: none runs; of its process group as well */
    int fd;   /* readable when it has ended */
    int out;  /* readable when it has printed something, or closed its standard output and error; -1: it closed them */
    struct output printed;
    char folder[1200];
    struct verdict_page *page;
    int64_t began_us;
};

/* Starts `run` in a process with a new folder below `parent`. Zeroed process in. On failure nothing is held. */
bool process_start(struct process *process, const char *parent, void (*run)(const char *folder, const void *context),
                   const void *context, struct failure *failure) WARN_UNUSED;

/* Takes what it has printed since, without waiting. To be called whenever `out` is readable: until then it waits when
 * it has printed more than a pipe holds. */
void process_hear(struct process *process);

/* Ends it if it has not ended, and all that it started, and removes its folder. With `limit_ms` >= 0 it is ended for
 * having taken so long. What it said, or what its end says, goes to the result. */
void process_end(struct process *process, int64_t limit_ms, struct check_result *result);

/* In a process that was just forked: nothing of it reaches the terminal but what it writes to `out`, it leaves no core,
 * and it does not outlive its parent. */
void process_become_child(pid_t parent, int out);

/* Of a file with its output, the line that says most: a sanitizer's report, or else the last one; NULL: it said
 * nothing. */
enum { PROCESS_TEXT_SIZE = OUTPUT_LINE_SIZE };
const char *process_telling_line(int out, char text[PROCESS_TEXT_SIZE]);

/* Removes a folder and all in it. */
void process_remove_folder(const char *folder);

#endif
