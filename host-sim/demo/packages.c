/* packages.c: reading what dpkg-query prints. */
#include "demo/packages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owned.h"

static const char *const KIND_NAMES[NEED_KIND_COUNT] = {"pre-depends", "depends", "recommends"};

enum field {
    FIELD_NAME,
    FIELD_VERSION,
    FIELD_ARCHITECTURE,
    FIELD_SECTION,
    FIELD_SIZE,
    FIELD_STATUS,
    FIELD_TIME,
    FIELD_NEEDS, /* the kinds of enum need_kind, in its order */
    FIELD_COUNT = FIELD_NEEDS + NEED_KIND_COUNT
};

struct span {
    const char *start;
    size_t size;
};

const char *need_kind_name(enum need_kind kind) {
    return KIND_NAMES[kind];
}

static void package_done(struct package *package) {
    for (size_t i = 0; i < package->need_count; i++) {
        free(package->needs[i].name);
        free(package->needs[i].version);
    }
    free(package->needs);
    free(package->name);
    free(package->version);
    free(package->architecture);
    free(package->section);
}

void packages_done(struct packages *packages) {
    for (size_t i = 0; i < packages->count; i++) {
        package_done(&packages->items[i]);
    }
    free(packages->items);
    *packages = (struct packages){0};
}

/* The array with room for one more element; it doubles. NULL: no memory, and the array is as it was. */
static void *with_room(void *items, size_t count, size_t item_size) {
    if (count != 0 && (count & (count - 1)) != 0) {
        return items; /* grown only when the count is a power of two */
    }
    return realloc(items, (count == 0 ? 1 : 2 * count) * item_size);
}

/* The part of `rest` up to the separator, without blanks around it; `rest` then begins behind the separator. */
static struct span cut(struct span *rest, char separator) {
    const char *end = memchr(rest->start, separator, rest->size);
    struct span part = {.start = rest->start, .size = end != NULL ? (size_t)(end - rest->start) : rest->size};
    size_t used = part.size + (end != NULL);
    rest->start += used;
    rest->size -= used;
    while (part.size > 0 && part.start[0] == ' ') {
        part.start++;
        part.size--;
    }
    while (part.size > 0 && part.start[part.size - 1] == ' ') {
        part.size--;
    }
    return part;
}

static struct need *find_need(struct package *package, enum need_kind kind, struct span name) {
    for (size_t i = 0; i < package->need_count; i++) {
        struct need *need = &package->needs[i];
        if (need->kind == kind && strlen(need->name) == name.size && memcmp(need->name, name.start, name.size) == 0) {
            return need;
        }
    }
    return NULL;
}

/* "libc6 (>= 2.34)" says a second time "libc6 (<< 2.40)": both hold. */
static bool add_version(struct need *need, struct span version) {
    if (version.size == 0) {
        return true;
    }
    char *joined = NULL;
    if (asprintf(&joined, "%s%s%.*s", need->version != NULL ? need->version : "", need->version != NULL ? ", " : "",
                 (int)version.size, version.start) < 0) {
        return false;
    }
    free(need->version);
    need->version = joined;
    return true;
}

/* One alternative: "name", "name:any", "name (>= 1)". */
static bool add_need(struct package *package, enum need_kind kind, struct span text, bool alternative) {
    struct span rest = text;
    struct span name = cut(&rest, '(');
    struct span version = cut(&rest, ')');
    struct span bare = cut(&name, ':');
    if (bare.size == 0) {
        return true;
    }
    struct need *need = find_need(package, kind, bare);
    if (need == NULL) {
        struct need *needs = with_room(package->needs, package->need_count, sizeof *needs);
        if (needs == NULL) {
            return false;
        }
        package->needs = needs;
        need = &package->needs[package->need_count];
        *need = (struct need){.kind = kind, .name = strndup(bare.start, bare.size), .alternative = alternative};
        if (need->name == NULL) {
            return false;
        }
        package->need_count++;
    }
    need->alternative = need->alternative && alternative;
    return add_version(need, version);
}

/* "a (>= 1), b | c" */
static bool add_needs(struct package *package, enum need_kind kind, struct span text) {
    while (text.size > 0) {
        struct span group = cut(&text, ',');
        bool alternative = memchr(group.start, '|', group.size) != NULL;
        while (group.size > 0) {
            if (!add_need(package, kind, cut(&group, '|'), alternative)) {
                return false;
            }
        }
    }
    return true;
}

static int64_t number_of(struct span text) {
    char digits[24];
    if (text.size == 0 || text.size >= sizeof digits) {
        return 0;
    }
    memcpy(digits, text.start, text.size);
    digits[text.size] = '\0';
    return strtoll(digits, NULL, 10);
}

static bool equals(struct span span, const char *text) {
    return strlen(text) == span.size && memcmp(span.start, text, span.size) == 0;
}

/* A package of a foreign architecture beside the one of the same name before it (dpkg sorts by name) is a node of its
 * own. NULL: no memory. */
static char *node_name(const struct packages *packages, struct span name, struct span architecture) {
    char *made = NULL;
    const struct package *before = packages->count > 0 ? &packages->items[packages->count - 1] : NULL;
    if (before != NULL && equals(name, before->name)) {
        return asprintf(&made, "%.*s:%.*s", (int)name.size, name.start, (int)architecture.size, architecture.start) < 0
                   ? NULL
                   : made;
    }
    return strndup(name.start, name.size);
}

static bool add_package(struct packages *packages, const struct span fields[FIELD_COUNT]) {
    struct package *items = with_room(packages->items, packages->count, sizeof *items);
    if (items == NULL) {
        return false;
    }
    packages->items = items;
    struct package *package = &packages->items[packages->count];
    *package = (struct package){
        .name = node_name(packages, fields[FIELD_NAME], fields[FIELD_ARCHITECTURE]),
        .version = strndup(fields[FIELD_VERSION].start, fields[FIELD_VERSION].size),
        .architecture = strndup(fields[FIELD_ARCHITECTURE].start, fields[FIELD_ARCHITECTURE].size),
        .section = strndup(fields[FIELD_SECTION].start, fields[FIELD_SECTION].size),
        .size_kib = number_of(fields[FIELD_SIZE]),
        .installed_us = number_of(fields[FIELD_TIME]) * 1000000,
    };
    packages->count++; /* from here on packages_done() frees it */
    if (package->name == NULL || package->version == NULL || package->architecture == NULL ||
        package->section == NULL) {
        return false;
    }
    for (int kind = 0; kind < NEED_KIND_COUNT; kind++) {
        if (!add_needs(package, (enum need_kind)kind, fields[FIELD_NEEDS + kind])) {
            return false;
        }
    }
    packages->need_count += package->need_count;
    return true;
}

bool packages_parse(const char *text, size_t size, struct packages *ret_packages, struct failure *failure) {
    CLEANUP(packages_done) struct packages packages = {0};
    struct span rest = {.start = text, .size = size};
    while (rest.size > 0) {
        struct span line = cut(&rest, '\n');
        struct span fields[FIELD_COUNT];
        size_t count = 0;
        while (count < FIELD_COUNT) { /* a field that is missing at the end is empty */
            fields[count++] = cut(&line, '\t');
        }
        if (fields[FIELD_NAME].size == 0 || !equals(fields[FIELD_STATUS], "installed")) {
            continue;
        }
        if (!add_package(&packages, fields)) {
            return failure_set(failure, "no memory for the packages of this machine");
        }
    }
    *ret_packages = packages;
    packages = (struct packages){0};
    return true;
}

static bool read_all(FILE *file, char **ret_text, size_t *ret_size) {
    CLEANUP(freep) char *text = NULL;
    size_t size = 0, capacity = 0;
    do {
        if (size == capacity) {
            capacity = capacity == 0 ? 65536 : 2 * capacity;
            char *grown = realloc(text, capacity);
            if (grown == NULL) {
                return false;
            }
            text = grown;
        }
        size += fread(text + size, 1, capacity - size, file);
    } while (!feof(file) && !ferror(file));
    if (ferror(file)) {
        return false;
    }
    *ret_text = text;
    text = NULL;
    *ret_size = size;
    return true;
}

/* No output, too, if there is no dpkg: then the shell says 127. */
static bool ask_dpkg(char **ret_text, size_t *ret_size) {
    FILE *output = popen("LC_ALL=C dpkg-query -W -f='" PACKAGES_FORMAT "' 2>/dev/null", "re");
    if (output == NULL) {
        return false;
    }
    bool read = read_all(output, ret_text, ret_size);
    return pclose(output) == 0 && read;
}

bool packages_read(const char *path, struct packages *ret_packages, struct failure *failure) {
    CLEANUP(freep) char *text = NULL;
    size_t size = 0;
    if (path != NULL) {
        FILE *file = fopen(path, "re");
        if (file == NULL) {
            return failure_set(failure, "cannot open the packages in '%s': %s", path, strerror(errno));
        }
        bool read = read_all(file, &text, &size);
        (void)fclose(file);
        if (!read) {
            return failure_set(failure, "cannot read the packages in '%s': %s", path, strerror(errno));
        }
        return packages_parse(text, size, ret_packages, failure);
    }
    if (ask_dpkg(&text, &size)) {
        if (!packages_parse(text, size, ret_packages, failure)) {
            return false;
        }
        if (ret_packages->count > 0) {
            return true;
        }
        packages_done(ret_packages);
    }
    size = (size_t)(PACKAGES_SAMPLE_END - PACKAGES_SAMPLE);
    if (!packages_parse(PACKAGES_SAMPLE, size, ret_packages, failure)) {
        return false;
    }
    ret_packages->is_sample = true;
    return true;
}
