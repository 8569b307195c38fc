/* sanitizer_fault.c: one deliberate fault, to prove that its report turns a test red. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments) {
    const char *fault = count == 2 ? arguments[1] : "";
    if (strcmp(fault, "overflow") == 0) {
        volatile char *heap = malloc(8);
        heap[8] = 1;
        free((void *)heap);
    } else if (strcmp(fault, "use_after_free") == 0) {
        volatile char *heap = malloc(8);
        free((void *)heap);
        heap[0] = 1;
    } else if (strcmp(fault, "leak") == 0) {
        volatile char *heap = malloc(8);
        heap[0] = 1;
        heap = NULL;
    } else if (strcmp(fault, "undefined") == 0) {
        volatile int big = INT_MAX;
        big = big + count;
    } else if (strcmp(fault, "none") != 0) {
        return 2;
    }
    return 0;
}
