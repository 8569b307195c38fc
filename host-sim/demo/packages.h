/* packages.h: the demo's real input: the packages installed on this machine, and what they need. */
#ifndef POLARIS_HOST_PACKAGES_H
#define POLARIS_HOST_PACKAGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

enum need_kind { NEED_PRE_DEPENDS, NEED_DEPENDS, NEED_RECOMMENDS, NEED_KIND_COUNT };
const char *need_kind_name(enum need_kind kind); /* "depends": the kind of the edge */

/* One package that another one asks for. */
struct need {
    enum need_kind kind;
    char *name;
    char *version;    /* ">= 2.34", several joined by ", "; NULL: any */
    bool alternative; /* one of several, of which one is enough */
};

struct package {
    char *name, *version, *architecture, *section;
    int64_t size_kib;
    int64_t installed_us; /* 0: not known */
    struct need *needs;   /* at most one of each kind and name */
    size_t need_count;
};

struct packages {
    struct package *items;
    size_t count;
    size_t need_count; /* of all */
    bool is_sample;    /* the committed sample: this machine has no dpkg */
};

/* What dpkg-query prints for one package: the fields of PACKAGES_FORMAT, between tabs. */
#define PACKAGES_FORMAT                                                                                                \
    "${Package}\\t${Version}\\t${Architecture}\\t${Section}\\t${Installed-Size}\\t${db:Status-Status}"                 \
    "\\t${db-fsys:Last-Modified}\\t${Pre-Depends}\\t${Depends}\\t${Recommends}\\n"

/* Reads what is installed; `path`: such lines in a file instead. Without a path and without dpkg: the sample. */
bool packages_read(const char *path, struct packages *ret_packages, struct failure *failure)
    __attribute__((warn_unused_result));
/* Parses such lines. A line that is no package is left out. */
bool packages_parse(const char *text, size_t size, struct packages *ret_packages, struct failure *failure)
    __attribute__((warn_unused_result));
void packages_done(struct packages *packages);

/* The committed sample, a part of the executable. */
extern const char PACKAGES_SAMPLE[];
extern const char PACKAGES_SAMPLE_END[];

#endif
