/* registry.c: the table of subjects, and the contexts of evaluations. */
#include "registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

#include "schema_source.h"

enum {
    BUCKETS = 256,              /* a power of two */
    SUBJECTS_MAX = 4096,        /* kept; the least recently used one gives way */
    CONTEXTS_KEPT = 16,         /* as many as evaluate at a time, as a rule */
    CONTEXT_SIZE_KEPT = 4 << 20 /* a context that an evaluation made larger is not kept */
};

/* A compiled schema, which outlives its subject where only other things changed. */
struct shared_program {
    atomic_int references;
    struct validate_program *program;
};

struct entry {
    struct subject subject;
    atomic_int references; /* the table's is one */
    atomic_uint_least64_t last_used;
    struct shared_program *shared; /* or NULL */
    struct entry *next;            /* of its bucket */
    uint8_t type_size;
    char type[TYPE_SIZE_MAX];
};

struct registry {
    struct storage *storage;
    struct config config;        /* the parts that are not owned: `types` is NULL */
    atomic_uint_least64_t clock; /* counts uses */
    pthread_rwlock_t lock;       /* all up to the empty line */
    struct entry *buckets[BUCKETS];
    uint32_t count;
    size_t memory; /* of the programs */

    pthread_mutex_t contexts_lock; /* all below */
    struct validate_context *contexts[CONTEXTS_KEPT];
    uint32_t context_count;
    uint64_t contexts_made;
};

/* ---- references ---- */

static void shared_release(struct shared_program *shared) {
    if (shared != NULL && atomic_fetch_sub(&shared->references, 1) == 1) {
        validate_program_free(shared->program);
        free(shared);
    }
}

static void entry_release(struct entry **entry) {
    if (*entry != NULL && atomic_fetch_sub(&(*entry)->references, 1) == 1) {
        shared_release((*entry)->shared);
        free(*entry);
    }
}

void registry_release(const struct subject **subject) {
    /* The subject is the entry's first member, and of what is handed out only the count of references changes. */
    struct entry *entry = (struct entry *)(uintptr_t)*subject;
    entry_release(&entry);
}

/* ---- the table ---- */

static size_t entry_memory(const struct entry *entry) {
    return sizeof *entry + (entry->shared != NULL ? validate_program_memory(entry->shared->program) : 0);
}

static struct entry **bucket_of(struct registry *registry, struct bytes type) {
    return &registry->buckets[XXH3_64bits_withSeed(type.data, type.size, registry->config.hash_seed) & (BUCKETS - 1)];
}

static struct entry **find(struct registry *registry, struct bytes type) {
    struct entry **at = bucket_of(registry, type);
    while (*at != NULL && !((*at)->type_size == type.size && memcmp((*at)->type, type.data, type.size) == 0)) {
        at = &(*at)->next;
    }
    return at;
}

static void unlink_entry(struct registry *registry, struct entry **at) {
    struct entry *entry = *at;
    *at = entry->next;
    registry->count--;
    registry->memory -= entry_memory(entry);
    entry_release(&entry);
}

static void evict_oldest(struct registry *registry) {
    struct entry **oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct entry **at = &registry->buckets[i]; *at != NULL; at = &(*at)->next) {
            if (oldest == NULL || atomic_load(&(*at)->last_used) < atomic_load(&(*oldest)->last_used)) {
                oldest = at;
            }
        }
    }
    unlink_entry(registry, oldest);
}

/* Takes the place of the one that is there. The entry gets the table's reference. */
static void insert(struct registry *registry, struct entry *entry) {
    size_t memory_max = (size_t)registry->config.schema_cache_kib * 1024;
    (void)pthread_rwlock_wrlock(&registry->lock);
    struct entry **at = find(registry, (struct bytes){(const uint8_t *)entry->type, entry->type_size});
    if (*at != NULL) {
        unlink_entry(registry, at);
    }
    while (registry->count > 0 &&
           (registry->count >= SUBJECTS_MAX || registry->memory + entry_memory(entry) > memory_max)) {
        evict_oldest(registry);
    }
    at = bucket_of(registry, (struct bytes){(const uint8_t *)entry->type, entry->type_size});
    atomic_fetch_add(&entry->references, 1);
    entry->next = *at;
    *at = entry;
    registry->count++;
    registry->memory += entry_memory(entry);
    (void)pthread_rwlock_unlock(&registry->lock);
}

/* The entry that is kept, whatever its generation; NULL: none. */
static struct entry *look_up(struct registry *registry, struct bytes type) {
    (void)pthread_rwlock_rdlock(&registry->lock);
    struct entry *entry = *find(registry, type);
    if (entry != NULL) {
        atomic_fetch_add(&entry->references, 1);
        atomic_store_explicit(&entry->last_used, atomic_fetch_add(&registry->clock, 1), memory_order_relaxed);
    }
    (void)pthread_rwlock_unlock(&registry->lock);
    return entry;
}

/* ---- reading from the store ---- */

struct load {
    const struct registry *registry;
    const struct entry *before; /* or NULL */
    struct entry *entry;
    enum status status;
    struct error *error;
};

static bool is_same_program(const struct subject *a, const struct subject *b) {
    return a->version == b->version && a->settings.format == b->settings.format &&
           a->settings.extended == b->settings.extended;
}

static enum status compile(struct load *load, const struct schema_version *version) {
    struct error *error = load->error;
    struct subject *subject = &load->entry->subject;
    CLEANUP(schema_source_done) struct schema_source source = {0};
    struct validate_program *program = NULL;
    enum status status = schema_source_open(&source, version->format, version->schema, version->documents,
                                            &load->registry->config, error);
    if (status == OK) {
        status =
            schema_source_compile(&source, &load->registry->config, &subject->settings, true, &program, NULL, error);
    }
    if (status != OK) {
        return schema_source_refuse_kept(version->type, version->version, error);
    }
    load->entry->shared = calloc(1, sizeof *load->entry->shared);
    if (load->entry->shared == NULL) {
        validate_program_free(program);
        return error_set(error, NO_MEMORY, "no memory to keep a compiled schema");
    }
    *load->entry->shared = (struct shared_program){.references = 1, .program = program};
    return OK;
}

static bool visit_current(void *context, const struct schema_type *type, const struct schema_version *version) {
    struct load *load = context;
    struct entry *entry = load->entry;
    if (type->damaged) {
        load->status =
            error_set(load->error, CORRUPT, "the settings of type '%.*s' are damaged in the file; set its policy anew",
                      BYTES_FORMAT(type->type));
        return false;
    }
    entry->subject.settings = type->settings;
    entry->subject.latest = type->latest;
    entry->subject.version = version != NULL ? version->version : 0;
    if (version == NULL || type->settings.policy == SCHEMA_POLICY_OFF) {
        return false;
    }
    if (load->before != NULL && load->before->shared != NULL &&
        is_same_program(&load->before->subject, &entry->subject)) {
        entry->shared = load->before->shared;
        atomic_fetch_add(&entry->shared->references, 1);
    } else {
        load->status = compile(load, version);
    }
    entry->subject.program = entry->shared != NULL ? entry->shared->program : NULL;
    return false;
}

/* NULL: the error says why. */
static struct entry *load_entry(struct registry *registry, struct bytes type, int64_t generation,
                                const struct entry *before, struct error *error) {
    CLEANUP(entry_release) struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        (void)error_set(error, NO_MEMORY, "no memory to keep the schema of a type");
        return NULL;
    }
    entry->references = 1;
    entry->subject.generation = generation;
    entry->last_used = atomic_fetch_add(&registry->clock, 1);
    entry->type_size = (uint8_t)type.size;
    memcpy(entry->type, type.data, type.size);
    struct load load = {.registry = registry, .before = before, .entry = entry, .error = error};
    enum status status = registry->storage->ops->schema_current(registry->storage, type, visit_current, &load, error);
    if (status == NOT_FOUND) {
        status = OK; /* nothing is said of the type */
    }
    if (status != OK || load.status != OK) {
        return NULL;
    }
    struct entry *loaded = entry;
    entry = NULL; /* the caller owns it now */
    return loaded;
}

enum status registry_acquire(struct registry *registry, struct bytes type, const struct subject **ret_subject,
                             struct error *error) {
    /* Read before the store is: what is loaded is at least as new as it says. */
    int64_t generation = registry->storage->ops->schema_generation(registry->storage);
    CLEANUP(entry_release) struct entry *entry = look_up(registry, type);
    if (entry != NULL && generation >= 0 && entry->subject.generation == generation) {
        *ret_subject = &entry->subject;
        entry = NULL; /* the caller's reference now */
        return OK;
    }
    struct entry *loaded = load_entry(registry, type, generation, entry, error);
    if (loaded == NULL) {
        return error->status;
    }
    insert(registry, loaded);
    *ret_subject = &loaded->subject;
    return OK;
}

/* ---- contexts ---- */

struct validate_context *registry_borrow_context(struct registry *registry) {
    struct validate_context *context = NULL;
    (void)pthread_mutex_lock(&registry->contexts_lock);
    if (registry->context_count > 0) {
        context = registry->contexts[--registry->context_count];
    }
    uint64_t number = registry->contexts_made += context == NULL;
    (void)pthread_mutex_unlock(&registry->contexts_lock);
    uint64_t seed = registry->config.hash_seed + number * UINT64_C(0x9E3779B97F4A7C15);
    return context != NULL ? context : validate_context_new(seed);
}

void registry_return_context(struct registry *registry, struct validate_context *context) {
    if (context != NULL && validate_context_memory(context) <= CONTEXT_SIZE_KEPT) {
        (void)pthread_mutex_lock(&registry->contexts_lock);
        if (registry->context_count < CONTEXTS_KEPT) {
            registry->contexts[registry->context_count++] = context;
            context = NULL;
        }
        (void)pthread_mutex_unlock(&registry->contexts_lock);
    }
    validate_context_free(context);
}

/* ---- open and close ---- */

enum status registry_open(struct storage *storage, const struct config *config, struct registry **ret_registry,
                          struct error *error) {
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL) {
        return error_set(error, NO_MEMORY, "open: no memory for the registry of schemas");
    }
    registry->storage = storage;
    registry->config = *config;
    registry->config.types = NULL;
    registry->config.type_count = 0;
    (void)pthread_rwlock_init(&registry->lock, NULL); /* these cannot fail without attributes */
    (void)pthread_mutex_init(&registry->contexts_lock, NULL);
    *ret_registry = registry;
    return OK;
}

void registry_close(struct registry *registry) {
    if (registry == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (registry->buckets[i] != NULL) {
            unlink_entry(registry, &registry->buckets[i]);
        }
    }
    for (uint32_t i = 0; i < registry->context_count; i++) {
        validate_context_free(registry->contexts[i]);
    }
    (void)pthread_rwlock_destroy(&registry->lock);
    (void)pthread_mutex_destroy(&registry->contexts_lock);
    free(registry);
}
