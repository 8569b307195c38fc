/* elf_file.h: what must be known of a shared object before the system's loader sees it. */
#ifndef POLARIS_HOST_LOADER_ELF_FILE_H
#define POLARIS_HOST_LOADER_ELF_FILE_H

#include "cleanup.h"
#include "loader/loader.h"

/* Judges the bytes of a file: a shared object of this machine, complete, whose stack is not executable. dlopen must not
 * be asked: by the time it answers, constructors have run and the stack of the host is executable; and it trusts every
 * offset, so that a truncated file is SIGBUS. */
enum loader_refusal elf_check(const uint8_t *data, size_t size, const char *path, struct failure *failure) WARN_UNUSED;

#endif
