/* sample.c: the committed sample of packages, taken into the executable as it is. */
#include "demo/packages.h"

__asm__(".pushsection .rodata, \"a\"\n"
        ".global PACKAGES_SAMPLE\n"
        "PACKAGES_SAMPLE:\n"
        ".incbin \"" POLARIS_DEMO_SAMPLE "\"\n"
        ".global PACKAGES_SAMPLE_END\n"
        "PACKAGES_SAMPLE_END:\n"
        ".byte 0\n"
        ".popsection\n");
