/* fence.c: memory with a fence behind it. */
#include "check/fence.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check/verdict.h"

struct fence fence_new(const void *bytes, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inside = (size + page - 1) / page * page;
    struct fence fence = {.size = size, .mapping_size = inside + page};
    fence.mapping = mmap(NULL, fence.mapping_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fence.mapping == MAP_FAILED || mprotect((uint8_t *)fence.mapping + inside, page, PROT_NONE) != 0) {
        finding("the check has no memory for a request");
    }
    fence.data = (uint8_t *)fence.mapping + inside - size;
    if (bytes != NULL && size > 0) {
        memcpy(fence.data, bytes, size);
    }
    return fence;
}

void fence_make_constant(struct fence *fence) {
    (void)mprotect(fence->mapping, fence->mapping_size, PROT_READ);
    (void)mprotect((uint8_t *)fence->mapping + fence->mapping_size - (size_t)sysconf(_SC_PAGESIZE),
                   (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
}

void fence_forbid(struct fence *fence) {
    (void)mprotect(fence->mapping, fence->mapping_size, PROT_NONE);
}

void fence_done(struct fence *fence) {
    (void)munmap(fence->mapping, fence->mapping_size);
}
