/* elf_test.c: hostile bytes in place of a shared object: each is refused by what it says, before anybody maps it. */
#include <criterion/criterion.h>
#include <elf.h>
#include <loader/elf_file.h>
#include <loader/mapped.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

static struct file real;

static void set_up(void) {
    real = file_read(FIXTURE_TEMPLATE);
}

static void tear_down(void) {
    free(real.data);
}

TestSuite(elf, .init = set_up, .fini = tear_down);

/* A copy of just as many bytes, so that the address sanitizer sees a read of one more. */
static enum loader_refusal check(const uint8_t *data, size_t size, struct failure *failure) {
    uint8_t *copy = malloc(size > 0 ? size : 1);
    cr_assert_not_null(copy);
    memcpy(copy, data, size);
    enum loader_refusal refusal = elf_check(copy, size, "a.so", failure);
    free(copy);
    return refusal;
}

static void expect(enum loader_refusal wanted, const char *word) {
    struct failure failure = {""};
    enum loader_refusal refusal = check(real.data, real.size, &failure);
    cr_assert_eq(refusal, wanted, "%s: %s", loader_refusal_name(refusal), failure.message);
    cr_assert_not_null(strstr(failure.message, word), "'%s' is not in: %s", word, failure.message);
}

static Elf64_Ehdr *header(void) {
    return (Elf64_Ehdr *)(void *)real.data;
}

static Elf64_Phdr *segment(uint32_t type) {
    Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(real.data + header()->e_phoff);
    for (size_t i = 0; i < header()->e_phnum; i++) {
        if (segments[i].p_type == type) {
            return &segments[i];
        }
    }
    cr_assert_fail("no segment of type %u", type);
    return NULL;
}

Test(elf, the_template_as_it_is_passes) {
    struct failure failure = {""};
    cr_assert_eq(check(real.data, real.size, &failure), LOADER_OK, "%s", failure.message);
}

Test(elf, every_truncation_is_refused) {
    size_t headers_end = header()->e_phoff + header()->e_phnum * sizeof(Elf64_Phdr);
    for (size_t size = 0; size < real.size; size += size <= headers_end + 64 ? 1 : 97) {
        struct failure failure = {""};
        enum loader_refusal refusal = check(real.data, size, &failure);
        cr_assert_eq(refusal, LOADER_NOT_ELF, "%zu bytes: %s", size, loader_refusal_name(refusal));
        cr_assert(strlen(failure.message) > 20);
    }
}

Test(elf, every_truncation_of_the_headers_is_refused_by_the_loader_too) {
    struct scratch scratch;
    scratch_open(&scratch);
    size_t headers_end = header()->e_phoff + header()->e_phnum * sizeof(Elf64_Phdr);
    for (size_t size = 0; size <= headers_end; size++) {
        const char *path = scratch_path(&scratch, "a.so");
        struct plugin *plugin = NULL;
        enum loader_refusal refusal = LOADER_OK;
        struct failure failure = {""};
        file_replace(path, real.data, size);
        cr_assert_not(loader_load(path, NULL, &plugin, &refusal, &failure));
        cr_assert_eq(refusal, LOADER_NOT_ELF, "%zu bytes: %s", size, failure.message);
    }
    scratch_close(&scratch);
}

Test(elf, another_machine_class_or_byte_order_is_another_architecture) {
    header()->e_machine ^= 1;
    expect(LOADER_WRONG_ARCHITECTURE, "ELF machine");
    header()->e_machine ^= 1;
    header()->e_ident[EI_CLASS] = ELFCLASS32;
    expect(LOADER_WRONG_ARCHITECTURE, "ELF class 1");
    header()->e_ident[EI_CLASS] = ELFCLASS64;
    header()->e_ident[EI_DATA] ^= 3;
    expect(LOADER_WRONG_ARCHITECTURE, "byte order");
}

Test(elf, what_is_no_shared_object_is_refused) {
    header()->e_type = ET_EXEC;
    expect(LOADER_NOT_ELF, "no shared object");
    header()->e_type = ET_REL;
    expect(LOADER_NOT_ELF, "no shared object");
    header()->e_type = ET_DYN;
    header()->e_version = 2;
    expect(LOADER_NOT_ELF, "version");
}

Test(elf, tables_beyond_the_end_are_refused) {
    Elf64_Ehdr good = *header();
    header()->e_phoff = UINT64_MAX - 8;
    expect(LOADER_NOT_ELF, "program headers lie beyond its end");
    *header() = good;
    header()->e_phnum = PN_XNUM;
    expect(LOADER_NOT_ELF, "unknown size or number");
    *header() = good;
    header()->e_phnum = 0;
    expect(LOADER_NOT_ELF, "unknown size or number");
    *header() = good;
    header()->e_phentsize = 1;
    expect(LOADER_NOT_ELF, "unknown size or number");
    *header() = good;
    header()->e_shoff = real.size;
    expect(LOADER_NOT_ELF, "section headers");
}

Test(elf, segments_beyond_the_end_or_with_impossible_addresses_are_refused) {
    Elf64_Phdr *load = segment(PT_LOAD);
    Elf64_Phdr good = *load;
    load->p_offset = UINT64_MAX;
    expect(LOADER_NOT_ELF, "truncated");
    *load = good;
    load->p_filesz = UINT64_MAX;
    expect(LOADER_NOT_ELF, "truncated");
    *load = good;
    load->p_memsz = UINT64_MAX;
    expect(LOADER_NOT_ELF, "impossible addresses");
    *load = good;
    load->p_memsz = 0;
    expect(LOADER_NOT_ELF, "impossible addresses");
    *load = good;
    load->p_align = 3;
    expect(LOADER_NOT_ELF, "impossible addresses");
    *load = good;
    load->p_vaddr = UINT64_C(1) << 63;
    expect(LOADER_NOT_ELF, "impossible addresses");
}

Test(elf, an_executable_stack_or_none_is_refused) {
    segment(PT_GNU_STACK)->p_flags |= PF_X;
    expect(LOADER_EXECUTABLE_STACK, "asks for an executable stack");
    segment(PT_GNU_STACK)->p_type = PT_NULL;
    expect(LOADER_EXECUTABLE_STACK, "does not say which stack");
}

Test(elf, a_dynamic_section_that_points_elsewhere_is_refused) {
    static const int64_t TAGS[] = {DT_STRTAB, DT_SYMTAB, DT_RELA, DT_STRSZ};
    const Elf64_Phdr *dynamic = segment(PT_DYNAMIC);
    Elf64_Dyn *entries = (Elf64_Dyn *)(void *)(real.data + dynamic->p_offset);
    for (size_t t = 0; t < sizeof TAGS / sizeof TAGS[0]; t++) {
        for (size_t i = 0; i < dynamic->p_filesz / sizeof *entries; i++) {
            if (entries[i].d_tag == TAGS[t]) {
                uint64_t good = entries[i].d_un.d_val;
                entries[i].d_un.d_val = UINT64_MAX - 100;
                expect(LOADER_NOT_ELF, "points to what is not in it");
                entries[i].d_un.d_val = good;
            }
        }
    }
    for (size_t i = 0; i < dynamic->p_filesz / sizeof *entries; i++) {
        entries[i].d_tag = DT_DEBUG;
    }
    expect(LOADER_NOT_ELF, "has no end");
}

Test(elf, no_byte_of_the_headers_makes_the_check_read_beyond_the_file) {
    static const uint8_t VALUES[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    const Elf64_Phdr *dynamic = segment(PT_DYNAMIC);
    size_t headers_end = header()->e_phoff + header()->e_phnum * sizeof(Elf64_Phdr);
    size_t ranges[][2] = {{0, headers_end}, {dynamic->p_offset, dynamic->p_offset + dynamic->p_filesz}};
    size_t refused = 0;
    for (size_t r = 0; r < 2; r++) {
        for (size_t at = ranges[r][0]; at < ranges[r][1]; at++) {
            uint8_t good = real.data[at];
            for (size_t v = 0; v < sizeof VALUES; v++) {
                struct failure failure = {""};
                real.data[at] = VALUES[v];
                refused += check(real.data, real.size, &failure) != LOADER_OK;
            }
            real.data[at] = good;
        }
    }
    cr_assert_gt(refused, 500); /* the sanitizer judges the rest */
}

Test(mapped, a_base_that_is_mapped_already_is_not_new) {
    int code = 0;
    cr_assert(mapped_add(&code));
    cr_assert_not(mapped_add(&code));
    mapped_remove(&code);
    cr_assert(mapped_add(&code));
    mapped_remove(&code);
    mapped_remove(&code);
}
