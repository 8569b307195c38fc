/* race.c: the plugin under test. */
#include "race.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const polaris_es_table *table;

static char folder[64];

int32_t open_store(const polaris_es_services *services, polaris_es **ret_self, const char *config) {
    return call_init(table, services, config, ret_self, NULL);
}

polaris_es *must_open(const polaris_es_services *services, const char *config) {
    polaris_es *self = NULL;
    int32_t status = open_store(services, &self, config);
    if (status != POLARIS_ES_OK) {
        fprintf(stderr, "init %s: status %d\n", config, status);
        exit(1);
    }
    return self;
}

void must_close(polaris_es *self) {
    int32_t status = table->shutdown(self, (polaris_bytes){0}, NULL);
    EXPECT(status == POLARIS_ES_OK, "shutdown: status %d", status);
}

/* ---- begin and end ---- */

const polaris_es_table *race_load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* stays: reports need the names of its functions */
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return NULL;
    }
    polaris_es_entry entry = NULL;
    void *symbol = dlsym(library, POLARIS_ES_ENTRY_SYMBOL);
    memcpy(&entry, &symbol, sizeof entry);
    polaris_es_hello hello = {.size = sizeof hello,
                              .major_min = POLARIS_ES_ABI_MAJOR,
                              .major_max = POLARIS_ES_ABI_MAJOR,
                              .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome welcome = {.size = sizeof welcome};
    if (entry == NULL || entry(&hello, &welcome) != POLARIS_ES_OK) {
        fprintf(stderr, "%s refuses: %s\n", path, welcome.reason);
        return NULL;
    }
    return welcome.table;
}

static void remove_folder(void) {
    DIR *here = opendir(".");
    if (here != NULL) {
        for (struct dirent *entry = readdir(here); entry != NULL; entry = readdir(here)) {
            (void)unlink(entry->d_name);
        }
        closedir(here);
    }
    (void)rmdir(folder);
}

void race_begin(void) {
    race_begin_in("/tmp");
}

void race_begin_in(const char *parent) {
    table = race_load(PLUGIN_PATH);
    if (table == NULL) {
        exit(1);
    }
    (void)snprintf(folder, sizeof folder, "%s/polaris-race-XXXXXX", parent);
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        perror(folder);
        exit(1);
    }
}

const char *race_folder(void) {
    return folder;
}

int race_end(void) {
    remove_folder();
    return complained() ? 1 : 0;
}
