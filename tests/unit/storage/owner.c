/* owner.c: one writer per file, any number of readers; what may stand at the path. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static struct store store;
static struct storage *second;

static void set_up(void) {
    store_open(&store, NULL);
}

static void tear_down(void) {
    store_done(&store);
}

TestSuite(owner, .init = set_up, .fini = tear_down);

Test(owner, second_writer_in_the_same_process_is_busy_and_names_the_first) {
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), BUSY);
    cr_expect_not_null(strstr(store.error.message, "the first owner"), "%s", store.error.message);
    cr_expect_eq(store.error.details[1].number, getpid());
}

/* Forked while the store is closed: a process with threads may leave its child with a lock that is held for ever. */
Test(owner, second_writer_in_another_process_is_busy_and_names_the_first) {
    int go[2];
    char byte = 0;
    store_close(&store);
    cr_assert_eq(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        struct error error;
        (void)close(go[1]);
        if (read(go[0], &byte, 1) != 1) {
            _exit(2);
        }
        struct storage *other = NULL;
        enum status status = store_open_again(&store, false, &other, &error);
        _exit(status == BUSY && strstr(error.message, "the first owner") != NULL ? 0 : 1);
    }
    store_reopen(&store);
    cr_assert_eq(write(go[1], "", 1), 1);
    int result = -1;
    waitpid(child, &result, 0);
    cr_expect_eq(result, 0);
}

Test(owner, lets_the_next_writer_in_once_the_first_has_closed) {
    store_close(&store);
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), OK);
    storage_close(second);
}

/* Instead of libc's: somebody removes the file just before it is locked. */
static const char *removed_before_lock;

int flock(int descriptor, int operation) {
    if (removed_before_lock != NULL) {
        cr_assert_eq(unlink(removed_before_lock), 0);
        removed_before_lock = NULL;
    }
    return (int)syscall(SYS_flock, descriptor, operation);
}

Test(owner, file_that_is_removed_while_it_is_taken_is_nobodys) {
    char name[128];
    snprintf(name, sizeof name, "%s.owner", store.path);
    store_close(&store);
    removed_before_lock = name;
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), IO);
    cr_expect_not_null(strstr(store.error.message, "try again"), "%s", store.error.message);
    cr_assert_eq(store_open_again(&store, false, &second, &store.error), OK);
    storage_close(second);
}

Test(owner, second_writer_through_another_path_of_the_same_folder_is_busy) {
    char link[128];
    snprintf(link, sizeof link, "%s-link", store.folder);
    cr_assert_eq(symlink(store.folder, link), 0);
    snprintf(store.config.path, sizeof store.config.path, "%s/./events.db", link);
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), BUSY);
    unlink(link);
}

Test(owner, file_with_two_names_is_refused) {
    char name[128];
    snprintf(name, sizeof name, "%s/other.db", store.folder);
    cr_assert_eq(link(store.path, name), 0);
    snprintf(store.config.path, sizeof store.config.path, "%s", name);
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), INVALID);
}

Test(owner, link_at_the_path_is_refused) {
    char name[128];
    snprintf(name, sizeof name, "%s/link.db", store.folder);
    cr_assert_eq(symlink(store.path, name), 0);
    snprintf(store.config.path, sizeof store.config.path, "%s", name);
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), INVALID);
}

Test(owner, store_and_its_companions_are_private_to_the_user) {
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".owner"};
    append(&store, event_of("a"));
    for (size_t i = 0; i < 4; i++) {
        char name[128];
        struct stat file;
        snprintf(name, sizeof name, "%s%s", store.path, SUFFIXES[i]);
        cr_assert_eq(stat(name, &file), 0, "%s", name);
        cr_expect_eq(file.st_mode & 0777, 0600, "%s has mode %o", name, file.st_mode & 0777);
    }
}

static bool count_event(void *context, const struct stored_event *event) {
    (void)event;
    ++*(int *)context;
    return true;
}

Test(reader, sees_what_the_writer_commits_while_both_are_open_and_cannot_write, .init = set_up, .fini = tear_down) {
    static const struct event_filter EVERYTHING = {0};
    struct event event = event_of("a");
    struct append_request request = {.events = &event, .count = 1};
    struct append_result result;
    struct append_summary summary;
    struct event_query query = {.filter = &EVERYTHING, .limit = 10};
    int count = 0;
    append(&store, event);
    cr_assert_eq(store_open_again(&store, true, &second, &store.error), OK, "%s", store.error.message);
    append(&store, event);

    cr_expect_eq(second->ops->read_events(second, &query, count_event, &count, NULL, &store.error), OK);
    cr_expect_eq(count, 2);
    cr_expect_eq(second->ops->append(second, &request, &result, &summary, &store.error), READ_ONLY);
    storage_close(second);
}

Test(reader, wakes_up_when_the_writer_commits, .init = set_up, .fini = tear_down) {
    bool interrupted = true;
    cr_assert_eq(store_open_again(&store, true, &second, &store.error), OK);
    append(&store, event_of("a"));
    cr_expect_eq(
        second->ops->wait(second, 0, INT64_C(60000000), second->ops->interrupts(second), &interrupted, &store.error),
        OK);
    cr_expect_not(interrupted);
    storage_close(second);
}

Test(format, newer_file_is_refused_with_both_versions, .init = set_up, .fini = tear_down) {
    store_close(&store);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(store.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    for (int read_only = 0; read_only < 2; read_only++) {
        cr_expect_eq(store_open_again(&store, read_only, &second, &store.error), INCOMPATIBLE);
        cr_expect_eq(store.error.details[0].number, 99);
        cr_expect_eq(store.error.details[1].number, STORE_FORMAT);
    }
}

Test(format, other_database_and_other_file_are_refused_and_left_alone, .init = set_up, .fini = tear_down) {
    char path[128];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/foreign.db", store.folder);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "CREATE TABLE mine (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    snprintf(store.config.path, sizeof store.config.path, "%s", path);
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), CORRUPT);

    snprintf(path, sizeof path, "%s/text.db", store.folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++) {
        fputs("this is no database ", file);
    }
    fclose(file);
    snprintf(store.config.path, sizeof store.config.path, "%s", path);
    cr_expect_eq(store_open_again(&store, false, &second, &store.error), CORRUPT);
}
