/* storage.c: opening and closing the SQLite backend, and its table of operations. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/sqlite/format.h"
#include "storage/sqlite/log_file.h"
#include "storage/sqlite/owner.h"
#include "storage/sqlite/sqlite.h"

const char *sqlite_storage_library_version(void) {
    return sqlite3_libversion();
}

int32_t sqlite_storage_library_version_number(void) {
    return sqlite3_libversion_number();
}

/* ---- the file ---- */

static void free_text(char **text) {
    free(*text);
}

/* The folder's real path and the file's own name: one store has one path, so that one lock guards it. */
static enum status resolve_path(const char *path, char ret_path[PATH_SIZE_MAX + 1], struct error *error) {
    char folder[PATH_SIZE_MAX + 1];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    const char *name = slash != NULL ? path + (slash - folder) + 1 : path;
    if (slash == NULL) {
        snprintf(folder, sizeof folder, ".");
    } else {
        slash[slash == folder] = '\0';
    }
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return error_set(error, INVALID, "open: path %s names a folder; give the file's name", path);
    }
    CLEANUP(free_text) char *real = realpath(folder, NULL);
    if (real == NULL) {
        return error_set(error, errno == ENOENT ? NOT_FOUND : IO, "open: the folder of %s cannot be reached: %s", path,
                         strerrordesc_np(errno));
    }
    int size = snprintf(ret_path, PATH_SIZE_MAX + 1, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    if (size < 0 || size > PATH_SIZE_MAX) {
        return error_set(error, INVALID, "open: the real path of %s is longer than %d bytes", path, PATH_SIZE_MAX);
    }
    return OK;
}

/* A link, a device or a second name of the file would let two writers past the lock. */
static enum status check_file(const char *path, bool *ret_exists, struct error *error) {
    struct stat file;
    if (lstat(path, &file) != 0) {
        *ret_exists = false;
        return errno == ENOENT ? OK
                               : error_set(error, IO, "open: %s cannot be reached: %s", path, strerrordesc_np(errno));
    }
    *ret_exists = true;
    if (!S_ISREG(file.st_mode)) {
        return error_set(error, INVALID, "open: %s is not a regular file; give the path of the database itself", path);
    }
    if (file.st_nlink > 1) {
        return error_set(error, INVALID, "open: %s has %ld names (hard links); it may have one only", path,
                         (long)file.st_nlink);
    }
    return OK;
}

/* SQLite would write into whatever has the name of its log, and waits for ever for the other end of a fifo. */
static enum status check_companions(const char *path, struct error *error) {
    static const char *const SUFFIXES[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        char companion[PATH_SIZE_MAX + 16];
        struct stat file;
        (void)snprintf(companion, sizeof companion, "%s%s", path, SUFFIXES[i]);
        if (lstat(companion, &file) == 0 && (!S_ISREG(file.st_mode) || file.st_nlink > 1)) {
            return error_set(error, IO, "open: %s is not a regular file with one name; remove it", companion);
        }
    }
    return OK;
}

/* Private from birth: SQLite would make it readable for everybody whom the umask lets. */
static enum status create_file(const char *path, struct error *error) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) {
        bool forbidden = errno == EACCES || errno == EROFS || errno == EPERM;
        return error_set(error,
                         forbidden         ? READ_ONLY
                         : errno == ENOSPC ? FULL
                                           : IO,
                         "open: %s cannot be made: %s", path, strerrordesc_np(errno));
    }
    (void)close(descriptor); /* nothing else has it open yet, so no lock of SQLite's is dropped */
    return OK;
}

static enum status prepare_file(struct sqlite_storage *self, struct error *error) {
    const struct config *config = &self->config;
    const char *path = self->base.info.path;
    bool exists = false;
    enum status status = check_file(path, &exists, error);
    if (status == OK && !exists && (config->read_only || !config->create)) {
        return error_set(error, NOT_FOUND, "open: there is no file %s%s", path,
                         config->read_only ? "; a writer must create the store first" : ", and create is false");
    }
    if (status == OK && !config->read_only) {
        status = owner_acquire(path, config->owner, &self->owner, error);
    }
    if (status == OK && !config->read_only) {
        /* Again, now that nobody else may make or replace it. */
        status = check_file(path, &exists, error);
    }
    if (status == OK) {
        status = check_companions(path, error);
    }
    return status == OK && !exists ? create_file(path, error) : status;
}

/* ---- open ---- */

static enum status open_reader(struct sqlite_storage *self, struct error *error) {
    struct connection connection;
    struct storage_info *info = &self->base.info;
    enum status status = connection_open(&connection, info->path, CONNECTION_READER, &self->config, &self->host, error);
    if (status == OK) {
        status = format_open(&connection, &self->config, info, error);
        connection_close(&connection);
    }
    return status;
}

static enum status open_writer(struct sqlite_storage *self, struct error *error) {
    struct storage_info *info = &self->base.info;
    struct connection *connection = &self->writer.connection;
    enum status status = connection_open(connection, info->path, CONNECTION_WRITER, &self->config, &self->host, error);
    if (status != OK) {
        return status;
    }
    status = format_open(connection, &self->config, info, error);
    if (status == OK && self->config.durability == DURABILITY_FULL) {
        status = log_file_sync(connection, error);
    }
    if (status == OK) {
        files_watch(&self->files, info->path, connection); /* the log exists since the format was read */
        status = writer_start(&self->writer, info->path, &self->config, &self->host, &self->tail, error);
    }
    if (status != OK) {
        connection_close(connection);
        log_buffer_done(&self->writer.log_buffer);
    }
    return status;
}

static enum status open_parts(struct sqlite_storage *self, struct error *error) {
    if (!tail_init(&self->tail, 0)) {
        return error_set(error, NO_MEMORY, "open: memory could not be allocated");
    }
    enum status status = readers_init(&self->readers, self->base.info.path, &self->config, &self->host, error);
    if (status == OK) {
        status = self->config.read_only ? open_reader(self, error) : open_writer(self, error);
    }
    if (status != OK) {
        readers_done(&self->readers);
        tail_done(&self->tail);
    }
    return status;
}

static void sqlite_close(struct storage *base, const struct storage_close *how, int64_t *ret_drained) {
    struct sqlite_storage *self = sqlite_of(base);
    *ret_drained = 0;
    /* Readers first: the connection that closes last copies the log into the file, and that must be a writing one. */
    readers_done(&self->readers);
    if (!self->config.read_only) {
        /* With durability normal the log itself may not be on the disk yet: it is copied, so that it is. */
        *ret_drained = writer_stop(&self->writer, how->keep_log && self->config.durability == DURABILITY_FULL);
    }
    tail_done(&self->tail);
    owner_release(&self->owner);
    free(self);
}

/* ---- waiting ---- */

static int64_t poll_last_id(void *context) {
    struct storage_head head = {0};
    struct error ignored; /* the read that follows the wait reports what is wrong */
    return sqlite_head(context, &head, &ignored) == OK ? head.last_id : -1;
}

static enum status sqlite_wait(struct storage *base, int64_t last_id, int64_t timeout_us, int64_t interrupts,
                               bool *ret_interrupted, struct error *error) {
    (void)error;
    struct sqlite_storage *self = sqlite_of(base);
    struct tail_poll poll = {poll_last_id, base};
    /* A reader hears nothing of commits in another process: it has to ask, while somebody waits. */
    *ret_interrupted = !tail_wait(&self->tail, last_id, timeout_us, interrupts, self->config.read_only ? &poll : NULL);
    return OK;
}

static int64_t sqlite_interrupts(struct storage *base) {
    return tail_interrupts(&sqlite_of(base)->tail);
}

static int64_t sqlite_interrupt(struct storage *base) {
    return tail_interrupt(&sqlite_of(base)->tail);
}

static const struct storage_ops SQLITE_OPS;

enum status sqlite_storage_open(const struct config *config, const struct storage_host *host,
                                struct storage **ret_storage, struct error *error) {
    struct sqlite_storage *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return error_set(error, NO_MEMORY, "open: memory could not be allocated");
    }
    self->base.ops = &SQLITE_OPS;
    self->config = *config;
    self->config.types = NULL; /* not ours */
    self->host = *host;
    self->policy = config_retry_policy(config);
    self->owner = -1;
    enum status status = resolve_path(config->path, self->base.info.path, error);
    if (status == OK) {
        status = prepare_file(self, error);
    }
    if (status == OK) {
        status = open_parts(self, error);
    }
    if (status != OK) {
        if (status == INVALID) {
            error_set_path(error, "/path"); /* nothing else of the configuration is judged here */
        }
        owner_release(&self->owner);
        free(self);
        return status;
    }
    if (!config->read_only) {
        self->base.info.last_id = self->writer.progress.last_id; /* no call is in progress yet */
        tail_advance(&self->tail, self->base.info.last_id);
    } else {
        struct storage_head head = {0};
        status = sqlite_head(&self->base, &head, error);
        if (status != OK) {
            int64_t drained = 0;
            sqlite_close(&self->base, &(struct storage_close){0}, &drained);
            return status;
        }
        self->base.info.last_id = head.last_id;
        tail_advance(&self->tail, head.last_id);
    }
    *ret_storage = &self->base;
    return OK;
}

static const struct storage_ops SQLITE_OPS = {
    .close = sqlite_close,
    .append = sqlite_append,
    .append_later = sqlite_append_later,
    .batch_create = sqlite_batch_create,
    .batch_append = sqlite_batch_append,
    .batch_complete = sqlite_batch_complete,
    .batch_abort = sqlite_batch_abort,
    .batch_get = sqlite_batch_get,
    .batch_list = sqlite_batch_list,
    .read_events = sqlite_read_events,
    .get_event = sqlite_get_event,
    .count_events = sqlite_count_events,
    .histogram = sqlite_histogram,
    .list_streams = sqlite_list_streams,
    .list_tags = sqlite_list_tags,
    .head = sqlite_head,
    .interrupts = sqlite_interrupts,
    .wait = sqlite_wait,
    .interrupt = sqlite_interrupt,
    .dead_letter_put = sqlite_dead_letter_put,
    .dead_letter_claim = sqlite_dead_letter_claim,
    .dead_letter_resolve = sqlite_dead_letter_resolve,
    .dead_letter_fail = sqlite_dead_letter_fail,
    .dead_letter_discard = sqlite_dead_letter_discard,
    .dead_letter_get = sqlite_dead_letter_get,
    .dead_letter_list = sqlite_dead_letter_list,
    .dead_letter_count = sqlite_dead_letter_count,
    .dead_letter_redrive_one = sqlite_dead_letter_redrive_one,
    .dead_letter_redrive = sqlite_dead_letter_redrive,
    .dead_letter_purge = sqlite_dead_letter_purge,
    .schema_generation = sqlite_schema_generation,
    .schema_put = sqlite_schema_put,
    .schema_get = sqlite_schema_get,
    .schema_versions = sqlite_schema_versions,
    .schema_types = sqlite_schema_types,
    .schema_current = sqlite_schema_current,
    .schema_set = sqlite_schema_set,
    .schema_retire = sqlite_schema_retire,
    .rejected_get = sqlite_rejected_get,
    .rejected_list = sqlite_rejected_list,
    .rejected_resubmit = sqlite_rejected_resubmit,
    .rejected_discard = sqlite_rejected_discard,
    .rejected_purge = sqlite_rejected_purge,
};
