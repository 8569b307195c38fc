/* fuzz_pattern.c: any bytes as a pattern and a text, against PCRE2 where both read the pattern alike; and as every
 * format.
 *
 * The input is split at its first newline: the pattern before it, the text behind it. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "validate/format.h"
#include "validate/pattern.h"

#include <pcre2.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* Do both dialects mean the same by it? Escapes but a few, empty classes and the dot (other line ends) differ. */
static bool is_common(struct bytes source) {
    for (size_t i = 0; i < source.size; i++) {
        uint8_t byte = source.data[i];
        uint8_t next = i + 1 < source.size ? source.data[i + 1] : 0;
        if (byte == '.' || (byte == '[' && (next == ']' || next == '[' || next == ':'))) {
            return false;
        }
        if (byte == '[' && next == '^' && i + 2 < source.size && source.data[i + 2] == ']') {
            return false;
        }
        if (byte == '\\') {
            if (next == 0 || strchr("\\^$.*+?()[]{}|dwbBftr", next) == NULL) {
                return false;
            }
            i++;
        }
    }
    return true;
}

static void compare(struct bytes source, struct bytes text, enum pattern_verdict verdict) {
    int code_error;
    size_t offset;
    if (verdict == PATTERN_LIMIT || !is_common(source)) {
        return;
    }
    pcre2_code *code =
        pcre2_compile(source.data, source.size, PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code_error,
                      &offset, NULL);
    if (code == NULL) {
        return; /* lookbehinds of any length, counts above 65,535 */
    }
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(context, 20000);
    int count = pcre2_match(code, text.data, text.size, 0, 0, match, context);
    if (count >= 0 || count == PCRE2_ERROR_NOMATCH) {
        require((count >= 0) == (verdict == PATTERN_YES));
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
}

static void fuzz_pattern(struct bytes source, struct bytes text) {
    struct pattern_limits limits = PATTERN_LIMITS_DEFAULT;
    struct error error = {0};
    struct pattern *pattern = NULL;
    limits.step_max = 20000;
    limits.heap_kib_max = 64;
    enum status checked = pattern_check(source, &limits, &error);
    enum status status = pattern_compile(source, &limits, &pattern, &error);
    require((status == OK) == (pattern != NULL));
    require(checked == status || (checked == OK && status == TOO_LARGE));
    if (status != OK) {
        require(error.status == status && error.message[0] != '\0');
        require(status == INVALID || status == TOO_LARGE || status == UNSUPPORTED);
        return;
    }
    uint64_t steps_left = UINT64_MAX;
    enum pattern_verdict verdict = pattern_search_within(pattern, text, &steps_left);
    uint64_t steps = UINT64_MAX - steps_left;
    require(pattern_search(pattern, text) == verdict);
    /* The same with exactly as much, and no verdict with less. */
    steps_left = steps;
    require(pattern_search_within(pattern, text, &steps_left) == verdict && steps_left == 0);
    steps_left = steps > 0 ? steps - 1 : 0;
    require(pattern_search_within(pattern, text, &steps_left) == PATTERN_LIMIT || steps == 0);
    compare(source, text, verdict);
    pattern_free(pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct bytes input = {size > 0 ? data : (const uint8_t *)"", size};
    const uint8_t *newline = memchr(input.data, '\n', size);
    struct bytes source = input;
    struct bytes text = BYTES_LITERAL("");
    if (newline != NULL) {
        source.size = (size_t)(newline - data);
        text = (struct bytes){newline + 1, size - source.size - 1};
    }
    fuzz_pattern(source, text);
    for (int id = FORMAT_UNKNOWN; id < FORMAT_COUNT; id++) {
        enum format_verdict verdict = format_check((enum format_id)id, input);
        require(verdict == FORMAT_NO || verdict == FORMAT_YES || id == FORMAT_REGEX);
    }
    return 0;
}
