/* consumer.c: a program of somebody else, built against the installed package; loads the installed plugin. */
#include <dlfcn.h>
#include <polaris/event_store.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **arguments) {
    if (count != 2) {
        return 2;
    }
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    polaris_es_entry entry = NULL;
    void *symbol = dlsym(library, POLARIS_ES_ENTRY_SYMBOL);
    memcpy(&entry, &symbol, sizeof entry);
    if (entry == NULL) {
        fprintf(stderr, "%s has no " POLARIS_ES_ENTRY_SYMBOL "\n", arguments[1]);
        return 1;
    }
    polaris_es_hello hello = {.size = sizeof hello, .major_min = 1, .major_max = 1, .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome welcome = {.size = sizeof welcome};
    int32_t status = entry(&hello, &welcome);
    printf("%u.%u\n", POLARIS_ES_ABI_MAJOR, POLARIS_ES_ABI_MINOR);
    return status == POLARIS_ES_OK && welcome.table != NULL ? 0 : 1;
}
