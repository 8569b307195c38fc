/* rounds.c: a process killed at random moments, many times, in the middle of everything that a store can do: nothing
 * that was acknowledged is missing, nothing is there twice, and everything is whole.
 *
 *     kill_rounds [--rounds N] [--seed S] [--from ROUND] [--seconds N] [--planted]
 *
 * A failure prints the command that makes the same rounds again: all draws are the same, while the moment of the kill
 * is as near as the scheduler lets it be. --planted proves that the check finds what a defect would leave. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../stress/race.h"
#include "rounds.h"
#include "torture/life.h"
#include "torture/work.h"

static const polaris_es_table *builds[2];

#ifdef __SANITIZE_ADDRESS__
enum { ROUNDS = 50 }; /* each takes several times as long; the release makes all of them */
#else
enum { ROUNDS = 200 };
#endif
enum { PLANTED_ROUNDS = 12, SILENCE_MS_MAX = 30000 };

struct options {
    long long rounds, from, seconds;
    uint64_t seed;
    bool planted;
};

static int64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void configure(char *text, size_t size, const struct ledger *ledger) {
    store_config(text, size, ledger->seed, ledger->round, ledger->round / STORE_ROUNDS % 2 == 0 ? "normal" : "full");
}

struct child {
    const struct ledger *ledger;
    bool lying;
};

static void work_on(void *context, int reports) {
    const struct child *child = context;
    char config[512];
    configure(config, sizeof config, child->ledger);
    const struct work work = {.before = child->ledger,
                              .config = config,
                              .reports = reports,
                              .builds = {builds[0], builds[1]},
                              .lying = child->lying};
    work_until_end(&work);
}

static void rounds_check(struct ledger *ledger) {
    struct census census = {0};
    char config[512];
    configure(config, sizeof config, ledger);
    if (judge_store(ledger, builds, config, &census)) {
        rounds_check_tables(&census);
    }
}

/* One life of a child. */
static void run_child(struct ledger *ledger, bool lying) {
    struct child child = {ledger, lying};
    const struct life life = {.run = work_on,
                              .context = &child,
                              .is_killed = true,
                              .moment = moment_of(ledger->seed, ledger->round),
                              .silence_ms_max = SILENCE_MS_MAX};
    int result = 0;
    switch (life_run(ledger, &life, &result)) {
    case LIFE_ENDED:
        EXPECT(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL, "the child ended by itself: %x", (unsigned)result);
        break;
    case LIFE_HUNG:
        complain("the child reports nothing for %d seconds", SILENCE_MS_MAX / 1000);
        break;
    case LIFE_UNKNOWN:
        complain("how the child ended cannot be told: SIGCHLD is ignored");
        break;
    case LIFE_STOPPED: /* there is no `stop` */
    case LIFE_NO_CHILD:
        complain("no child: %s", strerror(errno));
        break;
    }
}

static void remove_store(void) {
    static const char *const NAMES[] = {STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm", STORE_FILE ".owner"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        (void)unlink(NAMES[i]);
    }
}

/* Rounds with what a defect would do or leave, until it is found. */
static bool finds(const char *what, uint64_t seed) {
    struct ledger ledger;
    bool early = strcmp(what, "early") == 0;
    bool found = false;
    remove_store();
    ledger_init(&ledger, seed);
    complaints_silence(true);
    for (int i = 0; i < PLANTED_ROUNDS && !found; i++) {
        if (i % STORE_ROUNDS == 0) {
            remove_store();
            ledger_done(&ledger);
            ledger_init(&ledger, seed);
        }
        ledger.round = i;
        run_child(&ledger, early);
        if (early || rounds_plant(what) > 0) {
            rounds_check(&ledger);
            found = complaints_forget() > 0;
        } else {
            rounds_check(&ledger);
            if (complaints_forget() > 0) {
                break; /* it complains without a reason */
            }
        }
    }
    complaints_silence(false);
    ledger_done(&ledger);
    return found;
}

static void find_planted(uint64_t seed) {
    for (const char *const *what = PLANTED; *what != NULL; what++) {
        bool found = finds(*what, seed);
        EXPECT(found, "what was planted was not found: %s", *what);
        (void)printf("%-16s %s\n", *what, found ? "found" : "NOT FOUND");
    }
}

static void run_rounds(const struct options *options) {
    struct ledger ledger;
    int64_t end_ms = options->seconds > 0 ? now_ms() + options->seconds * 1000 : INT64_MAX;
    long long round = options->from - options->from % STORE_ROUNDS; /* what a store is depends on all its rounds */
    long long last = options->from + options->rounds, begun = round;
    long long events = 0, records = 0, swaps = 0;
    ledger_init(&ledger, options->seed);
    for (; round < last && now_ms() < end_ms && !complained(); round++) {
        if (round % STORE_ROUNDS == 0) {
            remove_store();
            ledger_done(&ledger);
            ledger_init(&ledger, options->seed);
        }
        ledger.round = (int)round;
        int64_t events_before = ledger.last_id;
        long long records_before = ledger.records, swaps_before = ledger.swaps;
        run_child(&ledger, false);
        rounds_check(&ledger);
        events += ledger.last_id - events_before;
        records += ledger.records - records_before;
        swaps += ledger.swaps - swaps_before;
        if (complained()) {
            fprintf(stderr,
                    "round %lld of seed %llu; again: kill_rounds --seed %llu --from %lld --rounds 1; store: %s\n",
                    round, (unsigned long long)options->seed, (unsigned long long)options->seed, round, race_folder());
        }
    }
    ledger_done(&ledger);
    (void)printf("%lld rounds of seed %llu: %lld events, %lld reports, %lld swaps\n", round - begun,
                 (unsigned long long)options->seed, events, records, swaps);
}

static bool read_options(struct options *options, int argc, char **argv) {
    *options = (struct options){.rounds = ROUNDS, .seed = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--planted") == 0) {
            options->planted = true;
            continue;
        }
        char *end = NULL;
        long long value = i + 1 < argc ? strtoll(argv[i + 1], &end, 10) : -1;
        if (value < 0 || end == argv[i + 1] || *end != '\0') {
            return false;
        }
        if (strcmp(argv[i], "--rounds") == 0) {
            options->rounds = value;
        } else if (strcmp(argv[i], "--seed") == 0) {
            options->seed = (uint64_t)value;
        } else if (strcmp(argv[i], "--from") == 0) {
            options->from = value;
        } else if (strcmp(argv[i], "--seconds") == 0) {
            options->seconds = value;
        } else {
            return false;
        }
        i++;
    }
    return options->from + options->rounds <= INT32_MAX; /* reports carry the round */
}

int main(int argc, char **argv) {
    struct options options;
    if (!read_options(&options, argc, argv)) {
        fprintf(stderr, "usage: kill_rounds [--rounds N] [--seed S] [--from ROUND] [--seconds N] [--planted]\n");
        return 2;
    }
    /* A killed process leaves its files to the system, whatever they lie on: memory does. */
    race_begin_in(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    builds[0] = table;
    builds[1] = race_load(PLUGIN_PATH_B);
    if (builds[1] == NULL) {
        return 1;
    }
    if (options.planted) {
        find_planted(options.seed);
    } else {
        run_rounds(&options);
    }
    return complained() ? 1 : race_end(); /* after a failure the store is kept */
}
