/* dead_letter.c: how a dead letter changes state, and when it is tried again. */
#include "dead_letter.h"

#include <assert.h>
#include <math.h>

/* Times beyond the calendar are as good as never, and must not wrap around into the past. */
static int64_t later(int64_t now_us, int64_t delay_us) {
    return delay_us > TIME_US_MAX - now_us ? TIME_US_MAX : now_us + delay_us;
}

/* The finaliser of splitmix64: every bit of the input moves every bit of the output. */
static uint64_t mix(uint64_t value) {
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

/* From -1 up to, but not including, 1. */
static double draw(uint64_t seed, int64_t event_id, int64_t attempts) {
    uint64_t bits = mix(mix(mix(seed) ^ (uint64_t)event_id) ^ (uint64_t)attempts);
    return (double)(bits >> 11) * 0x1p-52 - 1.0;
}

static int64_t retry_delay_us(const struct retry_policy *policy, int64_t event_id, int64_t attempts) {
    /* pow may overflow to infinity, and 0 * infinity is NaN: fmin then gives the cap, so a base of 0 is dealt with
     * first. */
    if (policy->base_us == 0) {
        return 0;
    }
    double delay = fmin((double)policy->base_us * pow(policy->factor, (double)attempts), (double)policy->cap_us);
    delay += delay * policy->jitter * draw(policy->seed, event_id, attempts);
    return (int64_t)delay;
}

static void make_pending(struct dead_letter_progress *progress, int64_t due_us) {
    progress->state = DEAD_LETTER_PENDING;
    progress->due_us = due_us;
    progress->lease_until_us = 0;
    progress->counted = false;
}

static void end(struct dead_letter_progress *progress, enum dead_letter_state state) {
    progress->state = state;
    progress->due_us = 0;
    progress->lease_until_us = 0;
    progress->counted = false;
}

struct dead_letter_progress dead_letter_begin(const struct retry_policy *policy, int64_t event_id, int64_t now_us) {
    return (struct dead_letter_progress){
        .state = DEAD_LETTER_PENDING,
        .attempts_max = policy->attempts_max,
        .due_us = later(now_us, retry_delay_us(policy, event_id, 0)),
    };
}

void dead_letter_fail(struct dead_letter_progress *progress, const struct retry_policy *policy, int64_t event_id,
                      int64_t delay_us, int64_t now_us) {
    assert(DEAD_LETTER_LIVE & (1u << progress->state));
    if (!progress->counted) {
        progress->attempts++;
    }
    /* Who was given up stays so until somebody redrives it, whatever else fails meanwhile. */
    if (progress->state == DEAD_LETTER_PARKED || progress->attempts >= progress->attempts_max) {
        end(progress, DEAD_LETTER_PARKED);
        return;
    }
    int64_t delay = delay_us >= 0 ? delay_us : retry_delay_us(policy, event_id, progress->attempts);
    make_pending(progress, later(now_us, delay));
}

void dead_letter_claim(struct dead_letter_progress *progress, int64_t lease_us, bool count_now, int64_t now_us) {
    assert(progress->state == DEAD_LETTER_PENDING);
    progress->state = DEAD_LETTER_CLAIMED;
    progress->due_us = 0;
    progress->lease_until_us = later(now_us, lease_us);
    progress->token++;
    progress->counted = count_now;
    if (count_now) {
        progress->attempts++;
    }
}

void dead_letter_resolve(struct dead_letter_progress *progress) {
    if (progress->counted) {
        progress->attempts--; /* it was handed out by `retry`, and a success is not an attempt */
    }
    end(progress, DEAD_LETTER_RESOLVED);
}

void dead_letter_discard(struct dead_letter_progress *progress) {
    end(progress, DEAD_LETTER_DISCARDED);
}

void dead_letter_redrive(struct dead_letter_progress *progress, int64_t now_us) {
    progress->attempts = 0;
    make_pending(progress, now_us);
}

enum status dead_letter_check(const struct dead_letter_progress *progress, int64_t id, int64_t token,
                              enum dead_letter_state wanted, struct error *error) {
    const char *state = dead_letter_state_name(progress->state);
    if (progress->state == DEAD_LETTER_STATE_COUNT) {
        return error_set(error, CORRUPT, "the state of dead letter %lld is damaged in the file; put it anew",
                         (long long)id);
    }
    if ((DEAD_LETTER_LIVE & (1u << progress->state)) == 0) {
        return progress->state == wanted
                   ? error_set(error, ALREADY, "dead letter %lld is %s already", (long long)id, state)
                   : error_set(error, CLOSED, "dead letter %lld ended before: it is %s", (long long)id, state);
    }
    if (progress->state == DEAD_LETTER_CLAIMED) {
        if (token < 0) {
            return error_set(error, CONFLICT, "dead letter %lld is claimed: it can be changed only with its token",
                             (long long)id);
        }
        if (token != progress->token) {
            return error_set(error, CONFLICT,
                             "token %lld of dead letter %lld is of an earlier claim; the lease is lost",
                             (long long)token, (long long)id);
        }
        return OK;
    }
    if (token >= 0) {
        return error_set(error, CONFLICT, "dead letter %lld is %s: the lease of token %lld is lost", (long long)id,
                         state, (long long)token);
    }
    return OK;
}

static const char *const STATE_NAMES[DEAD_LETTER_STATE_COUNT + 1] = {
    [DEAD_LETTER_PENDING] = "pending", [DEAD_LETTER_CLAIMED] = "claimed",     [DEAD_LETTER_RESOLVED] = "resolved",
    [DEAD_LETTER_PARKED] = "parked",   [DEAD_LETTER_DISCARDED] = "discarded", [DEAD_LETTER_STATE_COUNT] = "damaged",
};

const char *dead_letter_state_name(enum dead_letter_state state) {
    return STATE_NAMES[state];
}

bool dead_letter_state_from_name(struct bytes name, enum dead_letter_state *ret_state) {
    for (unsigned state = 0; state < DEAD_LETTER_STATE_COUNT; state++) {
        if (bytes_equal_string(name, STATE_NAMES[state])) {
            *ret_state = (enum dead_letter_state)state;
            return true;
        }
    }
    return false;
}
