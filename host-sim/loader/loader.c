/* loader.c: loads a private copy of a build, greets it, and checks all that it answers before anybody calls it. */
#include "loader/loader.h"

#include <assert.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "loader/elf_file.h"
#include "loader/image.h"
#include "loader/mapped.h"
#include "owned.h"

/* The table of revision 1.0. Whatever later minors append, builds of 1.0 stay welcome. */
enum { TABLE_SIZE_MIN = offsetof(polaris_es_table, shutdown) + sizeof(polaris_es_verb) };
static_assert(TABLE_SIZE_MIN == 96, "the table of revision 1.0 has 96 bytes");

static const char *const REFUSAL_NAMES[] = {
    [LOADER_OK] = "OK",
    [LOADER_NO_FILE] = "NO_FILE",
    [LOADER_UNSAFE_OWNER] = "UNSAFE_OWNER",
    [LOADER_UNSAFE_MODE] = "UNSAFE_MODE",
    [LOADER_WRONG_DIGEST] = "WRONG_DIGEST",
    [LOADER_NOT_ELF] = "NOT_ELF",
    [LOADER_WRONG_ARCHITECTURE] = "WRONG_ARCHITECTURE",
    [LOADER_EXECUTABLE_STACK] = "EXECUTABLE_STACK",
    [LOADER_LINK] = "LINK",
    [LOADER_NO_ENTRY] = "NO_ENTRY",
    [LOADER_MAJOR_TOO_OLD] = "MAJOR_TOO_OLD",
    [LOADER_MAJOR_TOO_NEW] = "MAJOR_TOO_NEW",
    [LOADER_REFUSED] = "REFUSED",
    [LOADER_TABLE_SHORT] = "TABLE_SHORT",
    [LOADER_NULL_SLOT] = "NULL_SLOT",
    [LOADER_SAME_CODE] = "SAME_CODE",
};

const char *loader_refusal_name(enum loader_refusal refusal) {
    size_t index = (size_t)refusal;
    return index < sizeof REFUSAL_NAMES / sizeof REFUSAL_NAMES[0] ? REFUSAL_NAMES[index] : "UNKNOWN";
}

/* What one greeting answered. */
struct greeting {
    int32_t status;
    polaris_es_welcome welcome;
    polaris_es_descriptor descriptor;
};

static struct greeting greet(polaris_es_entry entry, uint32_t major_min, uint32_t major_max, uint32_t minor) {
    struct greeting greeting = {.welcome = {.size = sizeof(polaris_es_welcome)},
                                .descriptor = {.size = sizeof(polaris_es_descriptor)}};
    greeting.welcome.descriptor = &greeting.descriptor;
    const polaris_es_hello hello = {
        .size = sizeof hello,
        .major_min = major_min,
        .major_max = major_max,
        .minor = minor,
        .host_name = "polaris-host",
        .host_version = "1.0",
    };
    greeting.status = entry(&hello, &greeting.welcome);
    greeting.welcome.descriptor = NULL; /* it pointed into this frame */
    greeting.welcome.reason[sizeof greeting.welcome.reason - 1] = '\0';
    greeting.descriptor.id[sizeof greeting.descriptor.id - 1] = '\0';
    greeting.descriptor.version[sizeof greeting.descriptor.version - 1] = '\0';
    greeting.descriptor.build_id[sizeof greeting.descriptor.build_id - 1] = '\0';
    return greeting;
}

/* Names the open file so that dlopen has never seen it. dlopen takes a name that it knows for the library that it
 * knows, and descriptors are reused: /proc/self/fd/7 may be a build that is still mapped. The number of the load is
 * spelled in ways of writing the same path: "/" for a 0, "/." for a 1. */
static void name_never_used(char *ret_name, size_t capacity, int fd) {
    static _Atomic uint32_t loads;
    uint32_t number = atomic_fetch_add(&loads, 1);
    char spelled[2 * 32 + 1] = "";
    size_t size = 0;
    for (uint32_t bit = UINT32_C(1) << 31; bit > 0; bit >>= 1) {
        spelled[size++] = '/';
        if ((number & bit) != 0) {
            spelled[size++] = '.';
        }
    }
    spelled[size] = '\0';
    (void)snprintf(ret_name, capacity, "/proc/self%s/fd/%d", spelled, fd);
}

/* dlopen of the private copy. */
static enum loader_refusal open_copy(struct plugin *plugin, const struct image *image, struct failure *failure) {
    CLEANUP(fd_closep) int fd = -1;
    if (!image_copy(image, &fd, failure)) {
        return LOADER_LINK;
    }
    char name[256];
    name_never_used(name, sizeof name, fd);
    plugin->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (plugin->handle == NULL) {
        const char *text = dlerror();
        (void)failure_set(failure, "cannot link the plugin '%s': %s", plugin->path,
                          text != NULL ? text : "dlopen failed");
        return LOADER_LINK;
    }
    return LOADER_OK;
}

/* The entry must be in the file that was checked, not in a library that it needs; and its code must be new. */
static enum loader_refusal find_entry(struct plugin *plugin, polaris_es_entry *ret_entry, struct failure *failure) {
    void *symbol = dlsym(plugin->handle, POLARIS_ES_ENTRY_SYMBOL);
    if (symbol == NULL) {
        (void)failure_set(failure, "'%s' is not an event store plugin: it does not export %s", plugin->path,
                          POLARIS_ES_ENTRY_SYMBOL);
        return LOADER_NO_ENTRY;
    }
    struct link_map *map = NULL;
    struct link_map *map_of_symbol = NULL;
    Dl_info info;
    if (dlinfo(plugin->handle, RTLD_DI_LINKMAP, &map) != 0 ||
        dladdr1(symbol, &info, (void **)&map_of_symbol, RTLD_DL_LINKMAP) == 0 || map_of_symbol != map) {
        (void)failure_set(failure,
                          "'%s' is not an event store plugin: %s is exported by a library that it needs, not by itself",
                          plugin->path, POLARIS_ES_ENTRY_SYMBOL);
        return LOADER_NO_ENTRY;
    }
    if (!mapped_add(info.dli_fbase)) {
        (void)failure_set(failure, "cannot load '%s': the system answered with the code of an earlier load",
                          plugin->path);
        return LOADER_SAME_CODE;
    }
    plugin->base = info.dli_fbase;
    memcpy(ret_entry, &symbol, sizeof *ret_entry); /* ISO C knows no cast from an object to a function */
    return LOADER_OK;
}

/* It speaks none of the host's majors. The greeting has no side effects: ask again for what it does speak. */
static enum loader_refusal explain_majors(polaris_es_entry entry, const struct plugin *plugin,
                                          const struct loader_options *options, const char *reason,
                                          struct failure *failure) {
    enum loader_refusal refusal = LOADER_REFUSED;
    struct greeting other = {.status = POLARIS_ES_INCOMPATIBLE};
    if (options->major_min > 0) {
        other = greet(entry, 0, options->major_min - 1, 0);
        refusal = LOADER_MAJOR_TOO_OLD;
    }
    if (other.status != POLARIS_ES_OK && options->major_max < UINT32_MAX) {
        other = greet(entry, options->major_max + 1, UINT32_MAX, 0);
        refusal = LOADER_MAJOR_TOO_NEW;
    }
    if (other.status != POLARIS_ES_OK) {
        (void)failure_set(failure, "the plugin '%s' refuses: %s", plugin->path, reason);
        return LOADER_REFUSED;
    }
    (void)failure_set(
        failure, "the plugin '%s' is too %s: it speaks major %" PRIu32 ", this host %" PRIu32 " to %" PRIu32 " (%s)",
        plugin->path, refusal == LOADER_MAJOR_TOO_OLD ? "old" : "new", other.welcome.major, options->major_min,
        options->major_max, reason);
    return refusal;
}

static enum loader_refusal negotiate(struct plugin *plugin, polaris_es_entry entry,
                                     const struct loader_options *options, struct failure *failure) {
    struct greeting greeting = greet(entry, options->major_min, options->major_max, options->minor);
    const char *reason = greeting.welcome.reason[0] != '\0' ? greeting.welcome.reason : "no reason given";
    if (greeting.status == POLARIS_ES_INCOMPATIBLE) {
        return explain_majors(entry, plugin, options, reason, failure);
    }
    if (greeting.status != POLARIS_ES_OK) {
        (void)failure_set(failure, "the plugin '%s' refuses with status %" PRId32 ": %s", plugin->path, greeting.status,
                          reason);
        return LOADER_REFUSED;
    }
    uint32_t major = greeting.welcome.major;
    if (major < options->major_min || major > options->major_max) {
        (void)failure_set(
            failure, "the plugin '%s' is too %s: it picked major %" PRIu32 ", this host speaks %" PRIu32 " to %" PRIu32,
            plugin->path, major < options->major_min ? "old" : "new", major, options->major_min, options->major_max);
        return major < options->major_min ? LOADER_MAJOR_TOO_OLD : LOADER_MAJOR_TOO_NEW;
    }
    if (greeting.welcome.table == NULL) {
        (void)failure_set(failure, "the plugin '%s' says OK, but gives no table", plugin->path);
        return LOADER_REFUSED;
    }
    plugin->table = greeting.welcome.table;
    plugin->descriptor = greeting.descriptor;
    plugin->major = major;
    plugin->minor = greeting.welcome.minor;
    return LOADER_OK;
}

bool plugin_has(const struct plugin *plugin, size_t slot_offset) {
    void (*slot)(void) = NULL;
    if (plugin->table->size < slot_offset + sizeof slot) {
        return false;
    }
    memcpy(&slot, (const uint8_t *)plugin->table + slot_offset, sizeof slot);
    return slot != NULL;
}

static enum loader_refusal check_table(const struct plugin *plugin, struct failure *failure) {
    static const struct {
        const char *name;
        size_t offset;
    } REQUIRED[] = {
        {"name", offsetof(polaris_es_table, name)},         {"version", offsetof(polaris_es_table, version)},
        {"build_id", offsetof(polaris_es_table, build_id)}, {"init", offsetof(polaris_es_table, init)},
        {"store", offsetof(polaris_es_table, store)},       {"query", offsetof(polaris_es_table, query)},
        {"dlq", offsetof(polaris_es_table, dlq)},           {"schema", offsetof(polaris_es_table, schema)},
        {"shutdown", offsetof(polaris_es_table, shutdown)},
    };
    const polaris_es_table *table = plugin->table;
    if (table->size < TABLE_SIZE_MIN) {
        (void)failure_set(failure, "the table of the plugin '%s' has %" PRIu32 " bytes; revision 1.0 has %d",
                          plugin->path, table->size, TABLE_SIZE_MIN);
        return LOADER_TABLE_SHORT;
    }
    for (size_t i = 0; i < sizeof REQUIRED / sizeof REQUIRED[0]; i++) {
        if (!plugin_has(plugin, REQUIRED[i].offset)) {
            (void)failure_set(failure, "'%s' is NULL in the table of the plugin '%s'", REQUIRED[i].name, plugin->path);
            return LOADER_NULL_SLOT;
        }
    }
    if (table->abi_major != plugin->major) {
        (void)failure_set(failure,
                          "the plugin '%s' contradicts itself: it picked major %" PRIu32 ", its table says %" PRIu32,
                          plugin->path, plugin->major, table->abi_major);
        return LOADER_REFUSED;
    }
    return LOADER_OK;
}

static enum loader_refusal load(struct plugin *plugin, const char *path, const struct loader_options *options,
                                struct failure *failure) {
    CLEANUP(image_done) struct image image = {0};
    enum loader_refusal refusal = image_read(path, options, &image, failure);
    if (refusal != LOADER_OK) {
        return refusal;
    }
    memcpy(plugin->path, image.path, sizeof plugin->path);
    memcpy(plugin->sha256, image.sha256, sizeof plugin->sha256);
    polaris_es_entry entry = NULL;
    refusal = elf_check(image.data, image.size, plugin->path, failure);
    if (refusal == LOADER_OK) {
        refusal = open_copy(plugin, &image, failure);
    }
    if (refusal == LOADER_OK) {
        refusal = find_entry(plugin, &entry, failure);
    }
    if (refusal == LOADER_OK) {
        refusal = negotiate(plugin, entry, options, failure);
    }
    if (refusal == LOADER_OK) {
        refusal = check_table(plugin, failure);
    }
    return refusal;
}

static void plugin_freep(struct plugin **plugin) {
    loader_unload(*plugin);
}

bool loader_load(const char *path, const struct loader_options *options, struct plugin **ret_plugin,
                 enum loader_refusal *ret_refusal, struct failure *failure) {
    struct loader_options effective = options != NULL ? *options : (struct loader_options){0};
    if (effective.major_min == 0 && effective.major_max == 0) {
        effective.major_min = effective.major_max = POLARIS_ES_ABI_MAJOR;
        effective.minor = POLARIS_ES_ABI_MINOR;
    }
    enum loader_refusal refusal = LOADER_NO_FILE;
    CLEANUP(plugin_freep) struct plugin *plugin = calloc(1, sizeof *plugin);
    if (plugin == NULL) {
        (void)failure_set(failure, "cannot load the plugin '%s': no memory", path);
    } else {
        refusal = load(plugin, path, &effective, failure);
    }
    if (ret_refusal != NULL) {
        *ret_refusal = refusal;
    }
    if (refusal != LOADER_OK) {
        return false;
    }
    plugin->keep_mapped = effective.keep_mapped;
    *ret_plugin = plugin;
    plugin = NULL; /* the caller owns it now */
    return true;
}

void loader_unload(struct plugin *plugin) {
    if (plugin == NULL) {
        return;
    }
    if (plugin->handle != NULL && !plugin->keep_mapped) {
        if (plugin->base != NULL) {
            mapped_remove(plugin->base);
        }
        (void)dlclose(plugin->handle);
    }
    free(plugin);
}
