/* file_edits.h: a store's files, altered as somebody would who wants to do harm: bytes of pages, of the log with its
 * checksums made good again, rows whose values have types and sizes that no writer gives them, and the schema table. */
#ifndef POLARIS_TESTS_FUZZ_FILE_EDITS_H
#define POLARIS_TESTS_FUZZ_FILE_EDITS_H

#include "choices.h"

struct store_files {
    struct buffer db, wal;
};
void store_files_done(struct store_files *files);
void store_files_copy(struct store_files *to, const struct store_files *from);

/* Alters bytes. */
void file_edits_bytes(struct store_files *files, struct choices *in);

/* A store in which `file` was made to take any value anywhere: a copy of it with tables that check nothing. */
void file_edits_loosen(const char *file);
/* Alters rows of a file that was loosened, and then makes its schema what it was before, but for what the choices say
 * of it. True: the file has an object that no store has, which would be run when the store is used. */
bool file_edits_rows(const char *file, struct choices *in);

#endif
