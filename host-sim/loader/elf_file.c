/* elf_file.c: reads ELF headers and the dynamic section from hostile bytes. */
#include "loader/elf_file.h"

#include <elf.h>
#include <string.h>

#include "owned.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#elif defined(__riscv)
#define MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define MACHINE EM_PPC64
#elif defined(__s390x__)
#define MACHINE EM_S390
#else
#error "name the ELF machine of this architecture"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_OF_HOST ELFDATA2LSB
#else
#define BYTE_ORDER_OF_HOST ELFDATA2MSB
#endif

enum { SEGMENTS_MAX = 64, DYNAMIC_ENTRIES_MAX = 4096 };

struct elf_file {
    const uint8_t *data;
    size_t size;
    Elf64_Ehdr header;
    Elf64_Phdr segments[SEGMENTS_MAX];
};

/* No sum of two numbers of the file is formed: each could overflow. */
static bool range_is_inside(uint64_t offset, uint64_t size, uint64_t whole) {
    return offset <= whole && size <= whole - offset;
}

static enum loader_refusal refuse(struct failure *failure, const char *path, const char *what) {
    (void)failure_set(failure, "'%s' is not a shared object that can be loaded: %s", path, what);
    return LOADER_NOT_ELF;
}

static enum loader_refusal check_header(struct elf_file *file, const char *path, struct failure *failure) {
    if (file->size < EI_NIDENT || memcmp(file->data, ELFMAG, SELFMAG) != 0) {
        return refuse(failure, path, "it does not begin as an ELF file does");
    }
    if (file->data[EI_CLASS] != ELFCLASS64 || file->data[EI_DATA] != BYTE_ORDER_OF_HOST) {
        (void)failure_set(failure,
                          "'%s' was built for another architecture: ELF class %u and byte order %u, not %u and %u",
                          path, file->data[EI_CLASS], file->data[EI_DATA], ELFCLASS64, BYTE_ORDER_OF_HOST);
        return LOADER_WRONG_ARCHITECTURE;
    }
    if (file->size < sizeof file->header) {
        return refuse(failure, path, "it ends within the ELF header");
    }
    memcpy(&file->header, file->data, sizeof file->header);
    if (file->header.e_machine != MACHINE) {
        (void)failure_set(failure, "'%s' was built for another architecture: ELF machine %u, this host runs on %u",
                          path, file->header.e_machine, MACHINE);
        return LOADER_WRONG_ARCHITECTURE;
    }
    if (file->header.e_ident[EI_VERSION] != EV_CURRENT || file->header.e_version != EV_CURRENT) {
        return refuse(failure, path, "its ELF version is unknown");
    }
    if (file->header.e_type != ET_DYN) {
        return refuse(failure, path, "it is an ELF file, but no shared object");
    }
    return LOADER_OK;
}

static enum loader_refusal read_segments(struct elf_file *file, const char *path, struct failure *failure) {
    const Elf64_Ehdr *header = &file->header;
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 || header->e_phnum > SEGMENTS_MAX) {
        return refuse(failure, path, "its program headers have an unknown size or number");
    }
    if (!range_is_inside(header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr), file->size)) {
        return refuse(failure, path, "its program headers lie beyond its end");
    }
    if (header->e_shnum != 0 &&
        (header->e_shentsize != sizeof(Elf64_Shdr) ||
         !range_is_inside(header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr), file->size))) {
        return refuse(failure, path, "its section headers lie beyond its end: the file is truncated");
    }
    memcpy(file->segments, file->data + header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr));
    for (size_t i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        if (segment->p_type != PT_NULL && segment->p_type != PT_GNU_STACK &&
            !range_is_inside(segment->p_offset, segment->p_filesz, file->size)) {
            return refuse(failure, path, "a segment lies beyond its end: the file is truncated");
        }
    }
    return LOADER_OK;
}

static bool load_segment_is_sound(const Elf64_Phdr *segment, uint64_t vaddr_min) {
    return segment->p_filesz <= segment->p_memsz && segment->p_memsz <= SIZE_MAX / 4 &&
           segment->p_vaddr <= SIZE_MAX / 4 && segment->p_vaddr >= vaddr_min && segment->p_align != 0 &&
           (segment->p_align & (segment->p_align - 1)) == 0 &&
           ((segment->p_vaddr - segment->p_offset) & (segment->p_align - 1)) == 0;
}

static enum loader_refusal check_segments(const struct elf_file *file, const char *path, struct failure *failure,
                                          const Elf64_Phdr **ret_dynamic) {
    const Elf64_Phdr *dynamic = NULL;
    const Elf64_Phdr *stack = NULL;
    uint64_t vaddr_min = 0;
    size_t loads = 0;
    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        if (segment->p_type == PT_DYNAMIC) {
            dynamic = segment;
        } else if (segment->p_type == PT_GNU_STACK) {
            stack = segment;
        } else if (segment->p_type == PT_LOAD) {
            if (!load_segment_is_sound(segment, vaddr_min)) {
                return refuse(failure, path, "a segment has impossible addresses");
            }
            vaddr_min = segment->p_vaddr + segment->p_memsz;
            loads++;
        }
    }
    if (loads == 0 || dynamic == NULL) {
        return refuse(failure, path, "it has nothing to load or to link");
    }
    if (stack == NULL || (stack->p_flags & PF_X) != 0) {
        (void)failure_set(failure,
                          "'%s' %s; loading it would make the stack of this process executable: link it with "
                          "-z noexecstack",
                          path, stack == NULL ? "does not say which stack it needs" : "asks for an executable stack");
        return LOADER_EXECUTABLE_STACK;
    }
    *ret_dynamic = dynamic;
    return LOADER_OK;
}

/* Do these addresses lie in what is loaded from the file? */
static bool addresses_are_loaded(const struct elf_file *file, uint64_t address, uint64_t size) {
    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &file->segments[i];
        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
            range_is_inside(address - segment->p_vaddr, size, segment->p_filesz)) {
            return true;
        }
    }
    return false;
}

/* The tables that the system's loader walks. It believes their addresses. */
static enum loader_refusal check_dynamic(const struct elf_file *file, const Elf64_Phdr *segment, const char *path,
                                         struct failure *failure) {
    static const struct {
        int64_t address_tag, size_tag; /* size_tag 0: its first byte is looked for */
    } TABLES[] = {
        {DT_STRTAB, DT_STRSZ}, {DT_SYMTAB, 0},       {DT_GNU_HASH, 0},
        {DT_HASH, 0},          {DT_RELA, DT_RELASZ}, {DT_JMPREL, DT_PLTRELSZ},
        {DT_VERNEED, 0},       {DT_RELR, DT_RELRSZ}, {DT_INIT_ARRAY, DT_INIT_ARRAYSZ},
        {DT_VERSYM, 0},        {DT_INIT, 0},         {DT_FINI_ARRAY, DT_FINI_ARRAYSZ},
        {DT_FINI, 0},
    };
    size_t count = segment->p_filesz / sizeof(Elf64_Dyn);
    if (count == 0 || count > DYNAMIC_ENTRIES_MAX) {
        return refuse(failure, path, "its dynamic section is empty or huge");
    }
    CLEANUP(freep) Elf64_Dyn *entries = malloc(count * sizeof(Elf64_Dyn));
    if (entries == NULL) {
        return refuse(failure, path, "there is no memory to look at it");
    }
    memcpy(entries, file->data + segment->p_offset, count * sizeof(Elf64_Dyn));
    size_t end = 0;
    while (end < count && entries[end].d_tag != DT_NULL) {
        end++;
    }
    if (end == count) {
        return refuse(failure, path, "its dynamic section has no end");
    }
    for (size_t t = 0; t < sizeof TABLES / sizeof TABLES[0]; t++) {
        bool found = false;
        uint64_t address = 0;
        uint64_t size = TABLES[t].size_tag == 0 ? 1 : 0;
        for (size_t i = 0; i < end; i++) {
            if (entries[i].d_tag == TABLES[t].address_tag) {
                found = true;
                address = entries[i].d_un.d_ptr;
            } else if (TABLES[t].size_tag != 0 && entries[i].d_tag == TABLES[t].size_tag) {
                size = entries[i].d_un.d_val;
            }
        }
        if (found && size > 0 && !addresses_are_loaded(file, address, size)) {
            return refuse(failure, path, "its dynamic section points to what is not in it");
        }
    }
    return LOADER_OK;
}

enum loader_refusal elf_check(const uint8_t *data, size_t size, const char *path, struct failure *failure) {
    struct elf_file file = {.data = data, .size = size};
    const Elf64_Phdr *dynamic = NULL;
    enum loader_refusal refusal = check_header(&file, path, failure);
    if (refusal == LOADER_OK) {
        refusal = read_segments(&file, path, failure);
    }
    if (refusal == LOADER_OK) {
        refusal = check_segments(&file, path, failure, &dynamic);
    }
    if (refusal == LOADER_OK) {
        refusal = check_dynamic(&file, dynamic, path, failure);
    }
    return refusal;
}
