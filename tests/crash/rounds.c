/* rounds.c: a process killed at random moments, many times, in the middle of everything that a store can do: nothing
 * that was acknowledged is missing, nothing is there twice, and everything is whole.
 *
 *     kill_rounds [--rounds N] [--seed S] [--from ROUND] [--seconds N] [--planted]
 *
 * A failure prints the command that makes the same rounds again: all draws are the same, while the moment of the kill
 * is as near as the scheduler lets it be. --planted proves that the check finds what a defect would leave. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../stress/race.h"
#include "rounds.h"

enum { ROUNDS = 200, PLANTED_ROUNDS = 12, WAIT_MS_MAX = 30000 };

struct options {
    long long rounds, from, seconds;
    uint64_t seed;
    bool planted;
};

/* When the child is killed: after so many reports, and so many microseconds more. */
struct moment {
    int reports;
    int delay_us;
};

static int64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct moment draw_moment(uint64_t seed, int round) {
    struct draws draws = draws_of(seed, round, 0, 0, 6);
    switch (draw_below(&draws, 8)) {
    case 0: /* while it opens the store, or makes it */
        return (struct moment){0, draw_below(&draws, 15000)};
    case 1: /* long enough for the log to be copied a few times */
        return (struct moment){2000 + draw_below(&draws, 2000), draw_below(&draws, 2000)};
    default:
        return (struct moment){1 + draw_below(&draws, 900), draw_below(&draws, 3000)};
    }
}

/* Reads whole reports into the ledger until there are `count`, or no more come. */
static void listen_for(struct ledger *ledger, int reports, long long count) {
    struct record record;
    while (ledger->records < count) {
        struct pollfd wanted = {.fd = reports, .events = POLLIN};
        int ready = poll(&wanted, 1, WAIT_MS_MAX);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready == 0) {
            complain("the child reports nothing for %d seconds", WAIT_MS_MAX / 1000);
        }
        if (ready <= 0 || read(reports, &record, sizeof record) != (ssize_t)sizeof record) {
            return;
        }
        ledger_note(ledger, &record);
    }
}

/* One life of a child. */
static void run_child(struct ledger *ledger, bool lying) {
    struct moment moment = draw_moment(ledger->seed, ledger->round);
    int ends[2];
    int result = 0;
    (void)fflush(NULL);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        complain("no pipe: %s", strerror(errno));
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        rounds_child(ledger, ends[1], lying);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        complain("no child: %s", strerror(errno));
    } else {
        listen_for(ledger, ends[0], ledger->records + moment.reports);
        (void)usleep((useconds_t)moment.delay_us);
        (void)kill(pid, SIGKILL);
        listen_for(ledger, ends[0], INT64_MAX); /* what was still in the pipe was acknowledged as well */
        while (waitpid(pid, &result, 0) < 0 && errno == EINTR) {
        }
        EXPECT(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL, "the child ended by itself: %x", (unsigned)result);
    }
    (void)close(ends[0]);
}

static void remove_store(void) {
    static const char *const NAMES[] = {"kill.db", "kill.db-wal", "kill.db-shm", "kill.db.owner"};
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
    race_be_silent(true);
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
            found = race_forget() > 0;
        } else {
            rounds_check(&ledger);
            if (race_forget() > 0) {
                break; /* it complains without a reason */
            }
        }
    }
    race_be_silent(false);
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
    for (; round < last && now_ms() < end_ms && !race_failed(); round++) {
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
        if (race_failed()) {
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
    return options->from + options->rounds <= UINT16_MAX; /* reports carry the round */
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
    return race_failed() ? 1 : race_end(); /* after a failure the store is kept */
}
