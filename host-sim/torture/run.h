/* run.h: torture: rounds, as many as wanted, each of which may end in a finding. */
#ifndef POLARIS_TORTURE_RUN_H
#define POLARIS_TORTURE_RUN_H

#include <signal.h>

#include "cleanup.h"
#include "torture/round.h"

/* A run ends after TORTURE_FINDINGS_MAX findings. */
enum { TORTURE_FINDINGS_MAX = 10, TORTURE_TEXT_SIZE = 2048, TORTURE_PATH_SIZE = 4096, TORTURE_LIMIT_MS = 60000 };

struct torture_counts {
    int64_t rounds, kills, cuts, recovery_cuts, shutdowns;
    int64_t fault_rounds[FAULT_KINDS], faults[FAULT_KINDS]; /* rounds that had any; calls that failed */
    int64_t swaps, acknowledged, reports;
    int64_t findings;
    int64_t elapsed_us;
    bool cut_short;     /* it was stopped, and there was more to be done */
    char unjudged[128]; /* in words: what went on when it was stopped, and was ended for that; "": nothing */
};

struct torture_finding {
    int round;
    bool alone;                     /* made by one thread: again it is the same, but for the build's own threads */
    char plan[512];                 /* of the round, in words */
    char what[TORTURE_TEXT_SIZE];   /* was violated; lines */
    char folder[TORTURE_PATH_SIZE]; /* with the files as they were found in found/, and as they are now */
};

struct torture_options {
    const char *plugin_path, *other_path; /* other_path: of the build that is swapped to; NULL: the same */
    struct loader_options loader;
    uint64_t seed;
    unsigned kinds;
    int64_t rounds;   /* 0: no end */
    int64_t seconds;  /* 0: no end */
    int64_t round;    /* -1; or this one only, with those that its store lived through before */
    int64_t tries;    /* of that, until something is found */
    bool lose_syncs;  /* the disk of the power cuts claims that it syncs, and does not */
    int64_t limit_ms; /* a process that says nothing for so long hangs: TORTURE_LIMIT_MS, if nothing else is wanted */
    volatile sig_atomic_t *stop; /* becomes the number of a signal that asks for the end of the run */
    /* Called some times a second, and after each round; `finding` is NULL or the one that just came. */
    void (*told)(void *context, const struct torture_counts *counts, const struct torture_finding *finding);
    void *context;
};

/* What can be done to the builds: less than `options.kinds` if nothing of what they do can be seen. */
struct torture_setting {
    struct torture_build builds[2];
    unsigned kinds;
    char folder[TORTURE_PATH_SIZE]; /* of the run */
};

struct torture_run;

/* Gets to know the builds, in a process of their own. False: they cannot be loaded, or open no store. */
bool torture_open(const struct torture_options *options, struct torture_run **ret_run,
                  struct failure *failure) WARN_UNUSED;
/* Why there are no power cuts and no faults, in words. */
const char *torture_unshared(const struct torture_setting *setting);
const struct torture_setting *torture_setting(const struct torture_run *run);
/* False: no process, memory or folder could be had; *ret_counts has what was done until then. */
bool torture_go(struct torture_run *run, struct torture_counts *ret_counts, struct failure *failure) WARN_UNUSED;
/* Removes the folder but for what findings left. */
void torture_close(struct torture_run *run);

#endif
