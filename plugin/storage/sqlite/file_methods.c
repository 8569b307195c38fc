/* file_methods.c: putting methods before a file's own. */
#include "storage/sqlite/file_methods.h"

static int close_file(sqlite3_file *file) {
    file->pMethods = file_methods_of(file)->below;
    return file->pMethods->xClose(file);
}

sqlite3_file *file_methods_file(sqlite3 *db, int op) {
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(db, "main", op, (void *)&file);
    return code == SQLITE_OK ? file : NULL;
}

void file_methods_put(struct file_methods *methods, sqlite3_file *file, void *context) {
    *methods = (struct file_methods){.methods = *file->pMethods, .below = file->pMethods, .context = context};
    methods->methods.xClose = close_file;
    file->pMethods = &methods->methods;
}
