/* file_methods.h: methods of ours before those of a file that SQLite has open (sqlite.org/c3ref/io_methods.html).
 *
 * Only for one connection's own files, unlike a VFS, which has a name in the whole process: two builds of the plugin
 * may be loaded, and the host may have set a VFS, which is then below these methods. */
#ifndef POLARIS_SQLITE_FILE_METHODS_H
#define POLARIS_SQLITE_FILE_METHODS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct file_methods {
    sqlite3_io_methods methods;      /* first: a file finds the rest by it */
    const sqlite3_io_methods *below; /* what it had before */
    void *context;
};

/* The connection's file: `op` is SQLITE_FCNTL_FILE_POINTER, the database, or SQLITE_FCNTL_JOURNAL_POINTER, its log or
 * journal. It may not be open; NULL: there is none. */
sqlite3_file *file_methods_file(sqlite3 *db, int op);

/* Is it open, and are its methods those of version 3, whose size is known? */
static inline bool file_methods_fit(const sqlite3_file *file) {
    return file != NULL && file->pMethods != NULL && file->pMethods->iVersion == 3;
}

/* From now on `file`, whose methods fit, has `methods`: at first as they were, to be changed by the caller. They stay
 * where they are until the file was closed, which restores what it had. */
void file_methods_put(struct file_methods *methods, sqlite3_file *file, void *context);

static inline const struct file_methods *file_methods_of(sqlite3_file *file) {
    return (const struct file_methods *)(const void *)file->pMethods;
}

#endif
