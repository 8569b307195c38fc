/* round.c: what the processes of a round do. */
#include "torture/round.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/process.h"
#include "torture/judge.h"
#include "torture/repeat.h"
#include "torture/shim_vfs.h"
#include "torture/work.h"

/* Ends the process if something was complained of. */
static void end_if_complained(void) {
    if (complained()) {
        _exit(WORK_COMPLAINED);
    }
}

/* The file is there and may be loaded, as it could when the build was met. */
static bool is_of_file(enum loader_refusal refusal) {
    return refusal == LOADER_NO_FILE || refusal == LOADER_UNSAFE_OWNER || refusal == LOADER_UNSAFE_MODE ||
           refusal == LOADER_WRONG_DIGEST || refusal == LOADER_NOT_ELF;
}

/* The first or the second build, which may be the same file. */
static const struct plugin *load(const struct round *round, int which) {
    struct plugin *plugin = NULL;
    struct failure failure;
    enum loader_refusal refusal = LOADER_OK;
    struct loader_options options = round->loader;
    const char *sha256 = round->shared->builds[which].sha256;
    options.keep_mapped = true;
    options.sha256 = sha256[0] != '\0' ? sha256 : NULL;
    const char *path = round->paths[which] != NULL ? round->paths[which] : round->paths[0];
    if (!loader_load(path, &options, &plugin, &refusal, &failure)) {
        complain("the build cannot be loaded%s: %s", options.sha256 != NULL ? " any more" : "", failure.message);
        _exit(options.sha256 != NULL && is_of_file(refusal) ? WORK_NO_BUILD : WORK_COMPLAINED);
    }
    return plugin;
}

/* The second one is loaded even if it is the same file: as another one it has data of its own. */
static void load_builds(const struct round *round, const polaris_es_table *ret_builds[2]) {
    ret_builds[0] = load(round, 0)->table;
    ret_builds[1] = round->plan.swaps || round->paths[1] != NULL ? load(round, 1)->table : ret_builds[0];
}

/* ---- the configuration ---- */

/* Without the keys that one of the builds does not know. */
static void configure(const struct round *round, char config[CONFIG_SIZE]) {
    store_config(config, CONFIG_SIZE, round->plan.seed, round->plan.round, round->plan.durability);
    json_t *map = json_loads(config, 0, NULL);
    for (int i = 0; i < 2; i++) {
        const struct torture_build *build = &round->shared->builds[i];
        for (int key = 0; key < build->lacking_count; key++) {
            (void)json_object_del(map, build->lacking[key]);
        }
    }
    char *text = json_dumps(map, 0);
    (void)snprintf(config, CONFIG_SIZE, "%s", text != NULL ? text : "");
    free(text);
    json_decref(map);
}

/* ---- getting to know a build ---- */

/* Opens a store, leaving out what the build does not know. */
static void try_to_open(const struct round *round, const polaris_es_table *table, struct torture_build *build) {
    for (;;) {
        char config[CONFIG_SIZE];
        polaris_es *self = NULL;
        json_t *reply = NULL;
        configure(round, config);
        int32_t status = call_init(table, NULL, config, &self, &reply);
        if (status == POLARIS_ES_OK) {
            json_decref(reply);
            (void)table->shutdown(self, (polaris_bytes){0}, NULL);
            return;
        }
        const char *path = json_string_value(json_object_get(json_object_get(reply, "details"), "path"));
        const char *message = json_string_value(json_object_get(reply, "message"));
        if (status != POLARIS_ES_INVALID || path == NULL || path[0] != '/' || build->lacking_count == CONFIG_KEYS_MAX) {
            complain("the build opens no store: status %d: %s", (int)status, message != NULL ? message : "no message");
            _exit(WORK_COMPLAINED);
        }
        (void)snprintf(build->lacking[build->lacking_count++], CONFIG_KEY_SIZE, "%.31s", path + 1);
        json_decref(reply);
    }
}

static void note_build(const struct plugin *plugin, struct torture_build *build) {
    const polaris_es_table *table = plugin->table;
    (void)snprintf(build->name, sizeof build->name, "%s", table->name);
    (void)snprintf(build->version, sizeof build->version, "%s", table->version);
    (void)snprintf(build->build_id, sizeof build->build_id, "%s", table->build_id);
    (void)snprintf(build->sha256, sizeof build->sha256, "%s", plugin->sha256);
    build->major = plugin->major;
    build->minor = plugin->minor;
    build->capabilities = table->capabilities;
    build->has_submit = (table->capabilities & POLARIS_ES_CAN_SUBMIT) != 0 &&
                        plugin_has(plugin, offsetof(polaris_es_table, submit)) &&
                        plugin_has(plugin, offsetof(polaris_es_table, cancel));
    build->says_shared = plugin->descriptor.sqlite_linkage == POLARIS_ES_SQLITE_SHARED;
}

/* Whoever opens its store below another SQLite than this one is not seen doing so. */
static void meet(const struct round *round) {
    disk_begin(DISK_SYNCS_ALL);
    for (int i = 0; i < 2; i++) {
        struct torture_build *build = &round->shared->builds[i];
        const struct plugin *plugin = load(round, i);
        note_build(plugin, build);
        EXPECT((build->capabilities & POLARIS_ES_CAN_APPEND) != 0, "the build has no append: there is nothing to lose");
        EXPECT((build->capabilities & POLARIS_ES_CAN_QUERY) != 0,
               "the build has no query: nothing can be held against it");
        end_if_complained();
        int64_t calls = 0;
        disk_tell(&calls);
        try_to_open(round, plugin->table, build);
        disk_tell(NULL);
        build->shares_sqlite = build->says_shared && calls > 0;
    }
    end_if_complained();
    _exit(WORK_ENDED);
}

/* ---- working ---- */

static void die(void) {
    (void)raise(SIGKILL);
}

static void set_faults(const struct round *round, struct work *work) {
    static const int32_t STATUSES[FAULT_KINDS] = {
        [FAULT_IO] = POLARIS_ES_IO, [FAULT_FULL] = POLARIS_ES_FULL, [FAULT_BUSY] = POLARIS_ES_BUSY};
    const struct plan *plan = &round->plan;
    faults_install();
    faults_tell(&round->shared->faults);
    faults_from(plan->fault, plan->fault_at, plan->fault_count);
    work->trouble = STATUSES[plan->fault];
    work->stays = plan->fault_count > 1;
}

/* What a kill left of what is not on the disk. */
#define LEFT_FILE "left"

static void set_disk(const struct round *round, bool is_killed, int64_t change) {
    disk_begin(round->syncs);
    disk_tell(&round->shared->disk_calls);
    disk_go_on(LEFT_FILE);
    if (is_killed) {
        disk_end_killed(round->plan.is_followed ? LEFT_FILE : NULL, ROUND_CUT);
    } else {
        disk_end_with_cut(round->plan.rest_seed + (uint64_t)change, ROUND_CUT);
    }
    disk_cut_at(change);
}

static void work_in(const struct round *round, int reports) {
    const struct plan *plan = &round->plan;
    char config[CONFIG_SIZE];
    struct work work = {.before = &round->shared->ledger, .config = config, .reports = reports, .alone = plan->alone};
    bool has_disk = !plan->has_fault && plan->change > 0;
    bool by_itself = plan->alone || has_disk || plan->ending != ENDING_KILL;
    work.reports_max = by_itself ? plan->moment.reports + 1 : 0;
    if (plan->has_fault) {
        set_faults(round, &work);
    } else if (has_disk) {
        set_disk(round, plan->ending == ENDING_KILL, plan->change);
    }
    if (plan->ending != ENDING_CLEAN) {
        work.end = has_disk || plan->ending == ENDING_POWER ? disk_cut : die;
    }
    load_builds(round, work.builds);
    configure(round, config);
    work_until_end(&work);
}

/* ---- behind a kill or a cut ---- */

static const polaris_es_table *open_again(const struct round *round, int64_t change, polaris_es **ret_self) {
    const polaris_es_table *builds[2];
    char config[CONFIG_SIZE];
    load_builds(round, builds);
    configure(round, config);
    const polaris_es_table *table = builds[change % 2];
    int32_t status = call_init(table, NULL, config, ret_self, NULL);
    EXPECT(status == POLARIS_ES_OK, "after a %s the store cannot be opened: status %d",
           round->plan.ending == ENDING_KILL ? "kill" : "power cut", (int)status);
    end_if_complained();
    return table;
}

/* Opens the store and shuts it down; at that change, or behind it, it is killed or its power is cut. */
static void recover(const struct round *round, bool is_killed, int64_t change) {
    polaris_es *self = NULL;
    set_disk(round, is_killed, change);
    const polaris_es_table *table = open_again(round, change, &self);
    (void)table->shutdown(self, (polaris_bytes){0}, NULL);
    disk_cut();
}

static void repeat(const struct round *round, int reports, int64_t change) {
    struct repeat repeat = {.ledger = &round->shared->ledger, .reports = reports, .is_once = change == 0};
    set_disk(round, false, change);
    repeat.table = open_again(round, round->plan.round, &repeat.self);
    repeat_requests(&repeat);
    end_if_complained();
    disk_cut();
}

/* ---- judging ---- */

/* If it is a database of SQLite's, whatever is in it. */
static void check_integrity(void) {
    char head[16] = "";
    FILE *file = fopen(STORE_FILE, "rbe");
    bool is_database =
        file != NULL && fread(head, sizeof head, 1, file) == 1 && memcmp(head, "SQLite format 3", 16) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!is_database) {
        return;
    }
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_open(STORE_FILE, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "PRAGMA integrity_check(5)", -1, &statement, NULL) != SQLITE_OK) {
        complain("SQLite cannot read the store: %s", sqlite3_errmsg(db));
    }
    int rows = 0, code = SQLITE_DONE;
    for (; statement != NULL && (code = sqlite3_step(statement)) == SQLITE_ROW; rows++) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        EXPECT(text != NULL && strcmp(text, "ok") == 0, "integrity: %s", text != NULL ? text : "?");
    }
    EXPECT(statement == NULL || (rows > 0 && code == SQLITE_DONE),
           "the integrity of the store could not be checked: %s, behind %d rows", sqlite3_errmsg(db), rows);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
}

static void judge(const struct round *round) {
    const polaris_es_table *builds[2];
    struct census census = {0};
    char config[CONFIG_SIZE];
    load_builds(round, builds);
    configure(round, config);
    if (judge_store(&round->shared->ledger, builds, config, &census)) {
        check_integrity();
    }
    end_if_complained();
    _exit(WORK_ENDED);
}

/* The VFS comes before the builds: what they open goes through it if they use the same SQLite. */
void round_run(void *context, int reports) {
    const struct assignment *assignment = context;
    const struct round *round = assignment->round;
    process_become_child(round->parent, round->out);
    complaints_keep(&round->shared->complaints);
    if (chdir(round->folder) != 0) {
        complain("the folder '%s' is gone", round->folder);
        _exit(WORK_COMPLAINED);
    }
    shim_vfs_install(NULL);
    switch (assignment->task) {
    case TASK_MEET:
        meet(round);
        break;
    case TASK_WORK:
        work_in(round, reports);
        break;
    case TASK_FALL:
        recover(round, true, assignment->change);
        break;
    case TASK_REPEAT:
        repeat(round, reports, assignment->change);
        break;
    case TASK_RECOVER:
        recover(round, false, assignment->change);
        break;
    case TASK_JUDGE:
        judge(round);
        break;
    }
}
