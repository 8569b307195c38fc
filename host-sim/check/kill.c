/* kill.c: what is left when the process of the plugin is killed: all that was acknowledged, and a file that opens. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "check/trial.h"
#include "message/message.h"

enum { EVENTS_MAX = 4096 };

/* What the process that is killed says of each acknowledged event; a whole one goes through a pipe at once. */
struct told {
    int64_t id, number;
};

struct victim {
    pid_t process;
    int out;
    struct told told[EVENTS_MAX];
    size_t count;
};

/* Starts a process that opens the store and works on it, telling through the pipe, until it is killed. */
static void start(struct trial *trial, struct victim *victim, const char *config,
                  void (*work)(struct trial *trial, int out)) {
    int ends[2];
    REQUIRE(pipe(ends) == 0, "the check has no pipe");
    victim->process = trial_fork();
    if (victim->process == 0) {
        trial_open(trial, config);
        work(trial, ends[1]);
        for (;;) {
            (void)pause();
        }
    }
    (void)close(ends[1]);
    victim->out = ends[0];
    victim->count = 0;
}

static void say(int out, int64_t id, int64_t number) {
    const struct told told = {.id = id, .number = number};
    if (write(out, &told, sizeof told) != (ssize_t)sizeof told) {
        _exit(1);
    }
}

/* Reads what it says until `count` were told. */
static void hear(struct victim *victim, size_t count) {
    while (victim->count < count) {
        struct pollfd fd = {.fd = victim->out, .events = POLLIN};
        REQUIRE(poll(&fd, 1, 20000) == 1, "the process that is to be killed acknowledged %zu events in 20 s",
                victim->count);
        ssize_t size = read(victim->out, &victim->told[victim->count], sizeof victim->told[0]);
        REQUIRE(size == (ssize_t)sizeof victim->told[0], "the process that was to be killed ended by itself");
        victim->count++;
    }
}

static void end(struct victim *victim) {
    (void)kill(victim->process, SIGKILL);
    trial_wait(victim->process, SIGKILL);
    while (victim->count < EVENTS_MAX && read(victim->out, &victim->told[victim->count], sizeof victim->told[0]) > 0) {
        victim->count++; /* acknowledged before it was killed */
    }
    (void)close(victim->out);
}

static void expect_all(struct trial *trial, const struct victim *victim) {
    trial_open(trial, NULL);
    for (size_t i = 0; i < victim->count; i++) {
        char pattern[64];
        int32_t status = trial_call(trial, "query", "{'op': 'get', 'id': %" PRId64 "}", victim->told[i].id);
        REQUIRE(status == POLARIS_ES_OK,
                "event %zu of %zu was acknowledged with the id %" PRId64 ", and is %s after the kill", i + 1,
                victim->count, victim->told[i].id, answer_name(status));
        (void)snprintf(pattern, sizeof pattern, "{'event': {'data': {'n': %" PRId64 "}}}", victim->told[i].number);
        trial_expect(trial, "an acknowledged event after the kill", pattern);
    }
}

static struct victim victim;

static void append_some(struct trial *trial, int out) {
    for (int64_t i = 0; i < 53; i++) {
        say(out, trial_append(trial, i), i);
    }
}

static void append_on(struct trial *trial, int out) {
    for (int64_t i = 0; i < EVENTS_MAX; i++) {
        say(out, trial_append(trial, i), i);
    }
}

static void at_rest(struct trial *trial) {
    start(trial, &victim, "{'durability': 'full'}", append_some);
    hear(&victim, 53);
    end(&victim);
    expect_all(trial, &victim);
    REQUIRE(trial_count(trial) == 53, "53 events were acknowledged, %" PRId64 " are there", trial_count(trial));
    trial_shutdown(trial);
}

static void amid_appends(struct trial *trial) {
    for (size_t round = 0; round < 3; round++) {
        start(trial, &victim, round == 0 ? "{'durability': 'full'}" : NULL, append_on);
        hear(&victim, 40 + 13 * round);
        end(&victim);
        expect_all(trial, &victim);
        int64_t last = victim.told[victim.count - 1].id;
        int64_t id = trial_append(trial, -1);
        REQUIRE(id > last, "after the kill an event got the id %" PRId64 ", which was acknowledged for another one",
                id);
        trial_shutdown(trial);
    }
}

static void submit_told(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    json_auto_t *map = NULL;
    struct failure failure;
    (void)ticket;
    if (status == POLARIS_ES_OK && message_unpack(reply.data, reply.size, &map, &failure)) {
        const int64_t *work = context; /* the pipe, and the number */
        say((int)work[0], json_integer_value(json_array_get(json_object_get(map, "ids"), 0)), work[1]);
    }
}

static void submit_on(struct trial *trial, int out) {
    static int64_t works[EVENTS_MAX][2];
    for (int64_t i = 0; i < 400; i++) {
        CLEANUP(packed_done)
        struct packed request = packed("{'op': 'append', 'event': {'type': 'a', 'data': {'n': %" PRId64 "}}}", i);
        works[i][0] = out;
        works[i][1] = i;
        const polaris_es_completion completion = {.size = sizeof completion, .context = works[i], .done = submit_told};
        REQUIRE(trial->table->submit(trial->self, packed_bytes(&request), &completion, NULL) == POLARIS_ES_OK,
                "submit fails");
    }
}

static void amid_submits(struct trial *trial) {
    start(trial, &victim, "{'durability': 'full', 'group_max': 8}", submit_on);
    hear(&victim, 30);
    end(&victim);
    expect_all(trial, &victim);
    trial_shutdown(trial);
}

static void keep_states(struct trial *trial, int out) {
    (void)trial_ok(trial, "store", "{'op': 'batch.create', 'id': 'b'}");
    (void)trial_ok(trial, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {'n': 7}}}");
    say(out, trial_append(trial, 0), 0);
}

static void batches(struct trial *trial) {
    start(trial, &victim, NULL, keep_states);
    hear(&victim, 1);
    end(&victim);
    expect_all(trial, &victim);
    (void)trial_ok(trial, "store", "{'op': 'batch.get', 'id': 'b'}");
    trial_expect(trial, "a batch that was open at the kill", "{'batch': {'state': 'open', 'count': 1}}");
    (void)trial_ok(trial, "store", "{'op': 'batch.complete', 'id': 'b'}");
    REQUIRE(trial_count(trial) == 2, "the batch of one event made %" PRId64, trial_count(trial) - 1);
    trial_shutdown(trial);
}

static void keep_letter(struct trial *trial, int out) {
    int64_t id = trial_append(trial, 0);
    (void)trial_ok(trial, "dlq",
                   "{'op': 'put', 'event_id': %" PRId64 ", 'consumer': 'c', 'delay_us': 0, "
                   "'error': {'message': 'm'}}",
                   id);
    json_t *claimed = trial_ok(trial, "dlq", "{'op': 'claim', 'consumer': 'c'}");
    const json_t *entry = json_array_get(json_object_get(claimed, "entries"), 0);
    say(out, id, 0);
    say(out, json_integer_value(json_object_get(entry, "id")), json_integer_value(json_object_get(entry, "token")));
}

static void letters(struct trial *trial) {
    start(trial, &victim, NULL, keep_letter);
    hear(&victim, 2);
    end(&victim);
    const struct told letter = victim.told[1]; /* its id and its token */
    victim.count = 1;
    expect_all(trial, &victim);
    char pattern[96];
    (void)snprintf(pattern, sizeof pattern, "{'entry': {'state': 'claimed', 'token': %" PRId64 "}}", letter.number);
    (void)trial_ok(trial, "dlq", "{'op': 'get', 'id': %" PRId64 "}", letter.id);
    trial_expect(trial, "a dead letter that was claimed at the kill", pattern);
    (void)trial_ok(trial, "dlq", "{'op': 'resolve', 'id': %" PRId64 ", 'token': %" PRId64 "}", letter.id,
                   letter.number);
    trial_shutdown(trial);
}

static const struct check CHECKS[] = {
    CHECK("kill/acknowledged-events-are-there", "53 appends, and then the process is killed", NEEDS_QUERY, at_rest),
    CHECK("kill/amid-appends-nothing-acknowledged-is-lost", "three kills; ids are not given again", NEEDS_QUERY,
          amid_appends),
    CHECK("kill/amid-submits-nothing-told-is-lost", "what ended with OK is there", NEEDS_SUBMIT, amid_submits),
    CHECK("kill/batches-that-were-open-are-open", "with their drafts", NEEDS_QUERY, batches),
    CHECK("kill/claimed-letters-are-claimed", "and their tokens are good", NEEDS_QUERY | POLARIS_ES_CAN_DEAD_LETTERS,
          letters),
};
const struct check_group CHECK_KILL = CHECK_GROUP(CHECKS);
