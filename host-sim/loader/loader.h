/* loader.h: loading a plugin build, so that nothing that happens to its file afterwards matters. A real host could take
 * this file as it is: it needs libc, libdl and libcrypto only. */
#ifndef POLARIS_HOST_LOADER_H
#define POLARIS_HOST_LOADER_H

#include <polaris/event_store.h>

#include "failure.h"

/* Why a build was refused: one for each thing that can be wrong, for programs; the failure says the same in words. */
enum loader_refusal {
    LOADER_OK,
    LOADER_NO_FILE,      /* missing, not a regular file, cannot be read */
    LOADER_UNSAFE_OWNER, /* owned by another user */
    LOADER_UNSAFE_MODE,  /* it, or its folder, is writable by group or others */
    LOADER_WRONG_DIGEST, /* not the SHA-256 that was pinned */
    LOADER_NOT_ELF,      /* not an ELF shared object, or a truncated one */
    LOADER_WRONG_ARCHITECTURE,
    LOADER_EXECUTABLE_STACK, /* loading it would make the host's stack executable */
    LOADER_LINK,             /* dlopen failed: a library or a symbol is missing */
    LOADER_NO_ENTRY,         /* polaris_event_store_entry is missing */
    LOADER_MAJOR_TOO_OLD,    /* it speaks only majors below the host's */
    LOADER_MAJOR_TOO_NEW,
    LOADER_REFUSED,     /* it refuses for another reason */
    LOADER_TABLE_SHORT, /* the table is smaller than that of 1.0 */
    LOADER_NULL_SLOT,   /* a required slot is NULL; or a name */
    LOADER_SAME_CODE    /* the system gave the code of an earlier load */
};

struct loader_options {
    bool allow_unsafe;                    /* load what is writable by group or others, or owned by another user */
    const char *sha256;                   /* 64 hexadecimal digits, or NULL */
    bool keep_mapped;                     /* unload never unmaps: safe default of a host, and what leak reports need */
    uint32_t major_min, major_max, minor; /* 0, 0: this host's own */
};

/* A loaded build. Immutable. */
struct plugin {
    char path[4096];               /* of the file that was asked for, resolved */
    char sha256[65];               /* of the bytes that run */
    const polaris_es_table *table; /* checked; slots beyond table->size must not be read: use plugin_has() */
    polaris_es_descriptor descriptor;
    uint32_t major, minor;
    void *handle;     /* of dlopen */
    const void *base; /* where its code lies */
    bool keep_mapped;
};

/* Loads a private copy of the file. On failure nothing stays loaded and *ret_refusal (may be NULL) says why. */
bool loader_load(const char *path, const struct loader_options *options, struct plugin **ret_plugin,
                 enum loader_refusal *ret_refusal, struct failure *failure) __attribute__((warn_unused_result));

/* Unloads it, if options.keep_mapped was not set. Every instance must have been shut down. NULL is allowed. */
void loader_unload(struct plugin *plugin);

/* Is the table long enough to have the slot, and is it set? plugin_has(plugin, offsetof(polaris_es_table, store)) */
bool plugin_has(const struct plugin *plugin, size_t slot_offset);

const char *loader_refusal_name(enum loader_refusal refusal);

#endif
