/* script.c: checks that are a list of calls with the answers that they must get. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/pattern.h"
#include "check/trial.h"
#include "message/message.h"
#include "owned.h"

static void run_call(struct trial *trial, const struct step *step, json_t *known) {
    json_auto_t *value = pattern_parse(step->request);
    const char *missing = NULL;
    REQUIRE(pattern_fill(value, known, trial->names, &missing), "before %s %.150s: no reply had '%s'", step->verb,
            step->request, missing != NULL ? missing : "memory");
    CLEANUP(packed_done) struct packed request = {0};
    struct failure failure;
    REQUIRE(message_pack(value, &request.data, &request.size, &failure), "a defect of the check: %s", failure.message);
    char what[256];
    (void)snprintf(what, sizeof what, "%s %.200s", step->verb, step->request);
    doing("%s", what);
    int32_t status = trial_call_bytes(trial, step->verb, packed_bytes(&request));
    CLEANUP(freep) char *reply = trial->reply != NULL ? message_print(trial->reply) : NULL;
    REQUIRE(status == step->status, "%s answered %s, not %s: %.400s", what, answer_name(status),
            answer_name(step->status), reply != NULL ? reply : trial->fault);
    if (status != POLARIS_ES_OK) {
        trial_expect_error(trial, what, status);
    }
    trial_expect(trial, what, step->reply != NULL ? step->reply : "{}");
}

void script_run(struct trial *trial) {
    const struct check *check = trial->check;
    json_auto_t *known = json_object(); /* the last reply that was OK */
    trial_open(trial, check->config);
    for (size_t i = 0; i < STEPS_MAX && check->steps[i].verb != NULL; i++) {
        const struct step *step = &check->steps[i];
        if (strcmp(step->verb, "clock") == 0) {
            (void)atomic_fetch_add(&trial->services.now_us, strtoll(step->request, NULL, 10));
        } else if (strcmp(step->verb, "reopen") == 0) {
            trial_reopen(trial, check->config);
        } else {
            run_call(trial, step, known);
            if (step->status == POLARIS_ES_OK) {
                json_decref(known);
                known = json_incref(trial->reply);
            }
        }
    }
    trial_shutdown(trial);
}
