/* hash_table.h: uthash, as the host uses it. */
#ifndef POLARIS_HOST_HASH_TABLE_H
#define POLARIS_HOST_HASH_TABLE_H

/* An element that could not be added keeps hh.tbl NULL, instead of uthash ending the process. */
#define HASH_NONFATAL_OOM 1
/* The default, Jenkins', falls through the cases of a switch, which clang warns about where it is used. */
#define HASH_FUNCTION HASH_FNV
#include <uthash.h>

#endif
