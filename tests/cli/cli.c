/* cli.c: running polaris-host-sim as people do. */
#include "cli.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

void result_done(struct result *result) {
    free(result->out);
    free(result->err);
}

void cli_enter(void) {
    strcpy(folder, "/tmp/polaris-cli-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

void cli_leave(void) {
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    (void)closedir(entries);
    (void)rmdir(folder);
}

static int scratch_file(void) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    return fd;
}

static void write_all(int fd, const char *text, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = write(fd, text + done, size - done);
        cr_assert_gt(count, 0);
        done += (size_t)count;
    }
}

static char *read_all(int fd) {
    size_t size = 0;
    char *text = malloc(1);
    for (ssize_t count = 1; count > 0; size += (size_t)count) {
        text = realloc(text, size + 65536);
        count = read(fd, text + size, 65535);
        cr_assert_geq(count, 0);
    }
    text[size] = '\0';
    (void)close(fd);
    return text;
}

static pid_t spawn(const char *const *arguments, int in, int out, int err) {
    char *argv[32] = {(char *)(uintptr_t)POLARIS_HOST_SIM, (char *)(uintptr_t) "--allow-unsafe"};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        cr_assert_lt(i + 3, sizeof argv / sizeof argv[0]);
        argv[i + 2] = (char *)(uintptr_t)arguments[i];
    }
    posix_spawn_file_actions_t actions;
    cr_assert_eq(posix_spawn_file_actions_init(&actions), 0);
    cr_assert_eq(posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO), 0);
    cr_assert_eq(posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO), 0);
    cr_assert_eq(posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO), 0);
    pid_t id;
    cr_assert_eq(posix_spawn(&id, argv[0], &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return id;
}

static int wait_for(pid_t id) {
    int status;
    cr_assert_eq(waitpid(id, &status, 0), id);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct result cli_run(const char *input, const char *const *arguments) {
    int in = scratch_file(), out = scratch_file(), err = scratch_file();
    if (input != NULL) {
        write_all(in, input, strlen(input));
    }
    (void)lseek(in, 0, SEEK_SET);
    struct result result = {.code = wait_for(spawn(arguments, in, out, err))};
    (void)close(in);
    (void)lseek(out, 0, SEEK_SET);
    (void)lseek(err, 0, SEEK_SET);
    result.out = read_all(out);
    result.err = read_all(err);
    cr_assert_null(strstr(result.err, "Sanitizer"), "%s", result.err);
    return result;
}

struct result cli_run_to(const char *path, const char *const *arguments) {
    int in = scratch_file(), err = scratch_file();
    int out = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert_geq(out, 0);
    struct result result = {.code = wait_for(spawn(arguments, in, out, err)), .out = strdup("")};
    (void)close(in);
    (void)close(out);
    (void)lseek(err, 0, SEEK_SET);
    result.err = read_all(err);
    return result;
}

struct result cli_run_for(int code, const char *input, const char *const *arguments) {
    struct result result = cli_run(input, arguments);
    cr_assert_eq(result.code, code, "'%s': exit code %d, expected %d\n%s%s", arguments[0], result.code, code,
                 result.out, result.err);
    return result;
}

char *cli_call(const char *verb, const char *request) {
    char *json = strdup(request);
    for (char *at = json; (at = strchr(at, '\'')) != NULL;) {
        *at = '"';
    }
    struct result result = RUN_FOR(0, NULL, "call", verb, json);
    free(json);
    free(result.err);
    result.out[strcspn(result.out, "\n")] = '\0';
    return result.out;
}

struct process cli_start(const char *const *arguments) {
    int in[2], out[2];
    cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
    struct process process = {.in = in[1], .out = out[0], .err = scratch_file()};
    process.id = spawn(arguments, in[0], out[1], process.err);
    (void)close(in[0]);
    (void)close(out[1]);
    return process;
}

char *process_line(struct process *process) {
    char *line = malloc(65536);
    size_t size = 0;
    while (size < 65535 && read(process->out, line + size, 1) == 1) {
        if (line[size] == '\n') {
            line[size] = '\0';
            return line;
        }
        size++;
    }
    free(line);
    return NULL;
}

void process_write(struct process *process, const char *text) {
    write_all(process->in, text, strlen(text));
}

struct result process_finish(struct process *process) {
    if (process->in >= 0) {
        (void)close(process->in);
    }
    struct result result = {.out = read_all(process->out)};
    result.code = wait_for(process->id);
    (void)lseek(process->err, 0, SEEK_SET);
    result.err = read_all(process->err);
    cr_assert_null(strstr(result.err, "Sanitizer"), "%s", result.err);
    return result;
}

void cli_file(const char *name, const char *text) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    write_all(fd, text, strlen(text));
    (void)close(fd);
}

char *cli_mask(char *text, const char *name) {
    char field[64];
    int length = snprintf(field, sizeof field, "\"%s\":", name);
    for (char *at = text; (at = strstr(at, field)) != NULL;) {
        at += length;
        size_t digits = 0;
        while (isdigit((unsigned char)at[digits])) {
            digits++;
        }
        memmove(at + 1, at + digits, strlen(at + digits) + 1);
        *at = '0';
    }
    return text;
}

void cli_contains(const char *text, const char *words) {
    cr_assert_not_null(strstr(text, words), "'%s' is not in:\n%s", words, text);
}
