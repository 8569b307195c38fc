/* work_letters.c: threads that put dead letters and work on them, each for a consumer of its own. */
#include "torture/work.h"

/* Tells of the entry, and keeps it. */
static void tell_letter(struct worker *worker, int consumer, const json_t *entry) {
    struct letter letter = {.id = number(entry, "id"),
                            .event_id = number(entry, "event_id"),
                            .token = number(entry, "token"),
                            .state = letter_state_of(json_string_value(json_object_get(entry, "state"))),
                            .attempts = (int)number(entry, "attempts")};
    EXPECT(letter.state >= 0, "a dead letter without a state");
    end_if_failed();
    consumer_note(&worker->ledger->consumers[consumer], &letter);
    tell(worker, RECORD_LETTER, consumer, letter.id, letter.event_id,
         letter_pack(letter.state, letter.attempts, letter.token));
}

static const struct letter *find_letter(struct worker *worker, const struct consumer *consumer, unsigned states) {
    int begin = consumer->count > 0 ? draw_below(&worker->draws, consumer->count) : 0;
    for (int i = 0; i < consumer->count; i++) {
        const struct letter *letter = &consumer->letters[(begin + i) % consumer->count];
        if ((states & 1u << letter->state) != 0) {
            return letter;
        }
    }
    return NULL;
}

static json_t *put_letter(struct worker *worker, int number_of_consumer, const struct consumer *consumer) {
    int64_t event_id = 1 + (int64_t)(draw(&worker->draws) % (uint64_t)work_last_id());
    if (consumer->count == LETTERS_MAX) {
        event_id = consumer->letters[draw_below(&worker->draws, LETTERS_MAX)].event_id;
    }
    tell(worker, RECORD_LETTER_BEGIN, number_of_consumer, LETTER_PUT, 0, event_id);
    return ask(DLQ, MAY(OK) | MAY(CONFLICT),
               "{\"op\":\"put\",\"event_id\":%lld,\"consumer\":\"c%d\",\"delay_us\":0,"
               "\"error\":{\"class\":\"E\",\"message\":\"it failed\"}}",
               (long long)event_id, number_of_consumer);
}

static json_t *change_letter(struct worker *worker, int number_of_consumer, enum letter_op op,
                             const struct letter *letter) {
    static const char *const NAMES[LETTER_OP_COUNT] = {[LETTER_RESOLVE] = "resolve",
                                                       [LETTER_FAIL] = "fail",
                                                       [LETTER_DISCARD] = "discard",
                                                       [LETTER_REDRIVE] = "redrive"};
    const char *more = op == LETTER_FAIL      ? ",\"delay_us\":0,\"error\":{\"message\":\"again\"}"
                       : op == LETTER_DISCARD ? ",\"reason\":\"not wanted\""
                                              : "";
    tell(worker, RECORD_LETTER_BEGIN, number_of_consumer, op, letter->id, letter->event_id);
    if (letter->state == LETTER_CLAIMED) {
        return ask(DLQ, MAY(OK), "{\"op\":\"%s\",\"id\":%lld,\"token\":%lld%s}", NAMES[op], (long long)letter->id,
                   (long long)letter->token, more);
    }
    return ask(DLQ, MAY(OK), "{\"op\":\"%s\",\"id\":%lld%s}", NAMES[op], (long long)letter->id, more);
}

static json_t *claim_letters(struct worker *worker, int number_of_consumer) {
    tell(worker, RECORD_LETTER_BEGIN, number_of_consumer, LETTER_CLAIM, 0, 0);
    return ask(DLQ, MAY(OK), "{\"op\":\"claim\",\"consumer\":\"c%d\",\"limit\":%d,\"holder\":\"h\"}",
               number_of_consumer, 1 + draw_below(&worker->draws, CLAIM_MAX));
}

static json_t *purge_letters(struct worker *worker, int number_of_consumer) {
    tell(worker, RECORD_LETTER_BEGIN, number_of_consumer, LETTER_PURGE, 0, 0);
    return ask(DLQ, MAY(OK), "{\"op\":\"purge\",\"consumer\":\"c%d\"}", number_of_consumer);
}

/* NULL: nothing can be done. */
static json_t *do_something(struct worker *worker, int number_of_consumer, struct consumer *consumer) {
    int lot = draw_below(&worker->draws, 32);
    if (lot < 10) {
        return put_letter(worker, number_of_consumer, consumer);
    }
    if (lot < 18) {
        return claim_letters(worker, number_of_consumer);
    }
    if (lot == 31) {
        return purge_letters(worker, number_of_consumer);
    }
    enum letter_op op = lot < 23 ? LETTER_RESOLVE : lot < 28 ? LETTER_FAIL : lot < 30 ? LETTER_REDRIVE : LETTER_DISCARD;
    unsigned states = op == LETTER_REDRIVE ? 1u << LETTER_PENDING | 1u << LETTER_PARKED : 1u << LETTER_CLAIMED;
    const struct letter *letter = find_letter(worker, consumer, states);
    return letter != NULL ? change_letter(worker, number_of_consumer, op, letter) : NULL;
}

void work_on_letters(struct worker *worker) {
    int number_of_consumer = (int)worker->thread - THREAD_LETTERS_1;
    struct consumer *consumer = &worker->ledger->consumers[number_of_consumer];
    json_t *reply = work_last_id() > 0 ? do_something(worker, number_of_consumer, consumer) : NULL;
    const json_t *entry = json_object_get(reply, "entry");
    const json_t *entries = json_object_get(reply, "entries");
    if (entry != NULL) {
        tell_letter(worker, number_of_consumer, entry);
    }
    for (size_t i = 0; i < json_array_size(entries); i++) {
        tell_letter(worker, number_of_consumer, json_array_get(entries, i));
    }
    if (reply != NULL && entry == NULL && entries == NULL && is_ok(reply)) {
        consumer_purge(consumer);
    }
    if (reply != NULL) {
        tell(worker, RECORD_LETTER_END, number_of_consumer, 0, 0, 0);
    }
    json_decref(reply);
}
