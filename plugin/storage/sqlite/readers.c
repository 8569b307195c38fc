/* readers.c: lending connections to reads. */
#include "storage/sqlite/readers.h"

#include <stdlib.h>

enum status readers_init(struct readers *readers, const char *path, const struct config *config,
                         const struct storage_host *host, struct error *error) {
    int32_t count = (int32_t)config->readers;
    *readers = (struct readers){.config = config, .host = host, .path = path, .idle_count = count};
    readers->connections = calloc((size_t)count, sizeof *readers->connections);
    readers->idle = calloc((size_t)count, sizeof *readers->idle);
    if (readers->connections == NULL || readers->idle == NULL || pthread_mutex_init(&readers->mutex, NULL) != 0) {
        free(readers->connections);
        free(readers->idle);
        *readers = (struct readers){0};
        return error_set(error, NO_MEMORY, "open: memory for %d readers could not be allocated", count);
    }
    (void)pthread_cond_init(&readers->returned, NULL); /* cannot fail without attributes */
    for (int32_t i = 0; i < count; i++) {
        readers->idle[i] = count - 1 - i;
    }
    return OK;
}

void readers_done(struct readers *readers) {
    if (readers->connections == NULL) {
        return;
    }
    for (int64_t i = 0; i < readers->config->readers; i++) {
        connection_close(&readers->connections[i]);
    }
    (void)pthread_cond_destroy(&readers->returned);
    (void)pthread_mutex_destroy(&readers->mutex);
    free(readers->connections);
    free(readers->idle);
    *readers = (struct readers){0};
}

static void give_back(struct readers *readers, int32_t index) {
    (void)pthread_mutex_lock(&readers->mutex);
    readers->idle[readers->idle_count++] = index;
    (void)pthread_cond_signal(&readers->returned);
    (void)pthread_mutex_unlock(&readers->mutex);
}

enum status reader_acquire(struct readers *readers, struct reader *ret_reader, struct error *error) {
    (void)pthread_mutex_lock(&readers->mutex);
    while (readers->idle_count == 0) {
        (void)pthread_cond_wait(&readers->returned, &readers->mutex);
    }
    int32_t index = readers->idle[--readers->idle_count];
    (void)pthread_mutex_unlock(&readers->mutex);

    struct connection *connection = &readers->connections[index];
    enum status status = OK;
    if (connection->db == NULL) {
        status = connection_open(connection, readers->path, CONNECTION_READER, readers->config, readers->host, error);
    }
    if (status == OK) {
        CLEANUP(statement_release) struct statement begin = {0};
        status = statement_get(connection, "BEGIN", "begin to read", &begin, error);
        if (status == OK) {
            status = statement_run(&begin, error);
        }
    }
    if (status != OK) {
        give_back(readers, index);
        return status;
    }
    *ret_reader = (struct reader){.pool = readers, .connection = connection, .index = index};
    return OK;
}

void reader_release(struct reader *reader) {
    if (reader->connection == NULL) {
        return;
    }
    struct error ignored; /* the end of a read transaction changes nothing; the next BEGIN would report what is wrong */
    bool ended = false;
    {
        CLEANUP(statement_release) struct statement commit = {0};
        ended = statement_get(reader->connection, "COMMIT", "end a read", &commit, &ignored) == OK &&
                statement_run(&commit, &ignored) == OK;
    }
    if (!ended && sqlite3_get_autocommit(reader->connection->db) == 0) {
        connection_close(reader->connection); /* opened anew by the next read */
    }
    give_back(reader->pool, reader->index);
    reader->connection = NULL;
}
