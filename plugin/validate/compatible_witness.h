/* compatible_witness.h: making small values that a set describes, and payloads of them that only one side accepts. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_WITNESS_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_WITNESS_H

#include "validate/compatible_object.h"

#include <assert.h>

/* One step from the payload's root down to the value that is looked at, on the stack. */
struct frame_step {
    struct frame_step *up;
    const struct set *set; /* of the value that the step leads into */
    bool is_name;
    struct bytes name;
    uint32_t index;
};

enum { FRAME_STEPS_MAX = PROOF_DEPTH_MAX + 1 };

/* The steps that lead from `until`, which is not among them, or from the root (NULL) to `step`. Returns how many. */
static inline uint32_t frame_steps(const struct frame_step *step, const struct frame_step *until,
                                   const struct frame_step *ret[static FRAME_STEPS_MAX]) {
    uint32_t count = 0;
    for (const struct frame_step *at = step; at != until; at = at->up) {
        count++;
    }
    assert(count <= FRAME_STEPS_MAX);
    uint32_t left = count;
    for (const struct frame_step *at = step; at != until; at = at->up) {
        ret[--left] = at;
    }
    return count;
}

/* How a value is to be made. */
struct plan {
    uint32_t kinds;
    uint32_t variant; /* which of the alternatives: 0 is the plainest */
    uint32_t salt;    /* makes values different that could be the same */
    bool has_length, has_count;
    uint32_t length; /* of a string */
    uint32_t count;  /* elements or members at least */
    bool alike;      /* elements may be the same */
    /* One member is given, by its name or place; an absent value: made as the others. */
    bool has_member;
    struct bytes name, value;
    uint32_t index;
};

/* ---- compatible_sample.c ---- */

/* Appends a text that the pattern probably matches; `stretch` makes what may be longer so. */
WARN_UNUSED bool sample_pattern(struct bytes pattern, uint32_t stretch, struct buffer *ret);
/* A text of the format; absent: none is known. */
struct bytes sample_format(struct bytes format);

/* ---- compatible_build.c, compatible_build_object.c ---- */

WARN_UNUSED bool build_value(struct prover *prover, const struct set *set, struct plan plan, struct buffer *ret);
/* An array or an object that is being made, inside of build_value(). */
struct making {
    struct set set;
    struct facts facts; /* of the set */
    struct plan plan;
    uint32_t parts, names; /* what there was on these stacks before it; names on top of it are an object's */
    bool is_object;
    uint32_t index, count; /* of the next element or member */
    uint32_t contains;     /* node, and how many elements still have to match it */
    uint32_t matching;
};
/* Puts the head, once it is known what is called for. */
WARN_UNUSED bool open_object(struct prover *prover, struct making *making, struct buffer *ret);
/* Puts the next member's name. *ret_given: its value is the plan's; else *ret says what it has to be. */
WARN_UNUSED bool next_member(struct prover *prover, struct making *making, struct buffer *buffer, bool *ret_given,
                             struct set *ret);
WARN_UNUSED bool put_text(struct bytes text, struct buffer *ret);
WARN_UNUSED bool put_number(double number, struct buffer *ret);
WARN_UNUSED bool put_exact(struct number number, struct buffer *ret);
WARN_UNUSED bool put_head(uint8_t fix, uint8_t wide, uint32_t count, struct buffer *ret); /* of a container */

/* ---- compatible_witness.c ---- */

/* Looks for a payload that the writer allows and the reader does not, which breaks the obligation if possible:
 * *ret_specific. It has `first`, unless absent, or another value at the place of the step. An empty buffer: none was
 * found. */
void witness_find(struct prover *prover, const struct set *set, const struct obligation *obligation, struct bytes first,
                  struct buffer *ret, bool *ret_specific);
WARN_UNUSED bool instance_path(const struct prover *prover, struct buffer *ret); /* of the value that is looked at */

/* Tries one payload's value at the place of the step. True: it will do, look no further. */
struct hunt {
    struct prover *prover;
    const struct obligation *obligation;
    struct buffer *found;
    bool specific;
    uint32_t tries;
    struct buffer value, payload, spare, path;
};
bool hunt_try(struct hunt *hunt, struct bytes value);
void hunt_done(struct hunt *hunt);

/* ---- compatible_probe.c ---- */

/* Values that may break the obligation, the likeliest first. */
void probe_values(struct hunt *hunt, const struct set *set, uint32_t reader);

#endif
