/* replay.c: a fuzz target without its fuzzer: runs it on the files of the folders that are given. */
#include "require.h"

#include <dirent.h>
#include <string.h>

static int run_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return 1;
    }
    size_t capacity = 1 << 20;
    uint8_t *data = malloc(capacity);
    if (data == NULL) {
        abort();
    }
    size_t size = fread(data, 1, capacity, file);
    fclose(file);
    /* In a block of its very size, so that a sanitizer sees what is read beyond it. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) {
        abort();
    }
    memcpy(exact, data, size);
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int run_folder(const char *folder, unsigned *count) {
    DIR *entries = opendir(folder);
    int failed = 0;
    if (entries == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", folder);
        return 1;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        failed |= run_file(path);
        ++*count;
    }
    closedir(entries);
    return failed;
}

int main(int argc, char **argv) {
    unsigned count = 0;
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        failed |= run_folder(argv[i], &count);
    }
    printf("%u inputs\n", count);
    return failed != 0 || count == 0;
}
