/* signals.c: catching the signals that ask a program to end. */
#include "signals.h"

#include <stddef.h>

static const int SIGNALS[SIGNALS_COUNT] = {SIGINT, SIGTERM, SIGHUP};

bool signals_ask_to_end(int number) {
    bool is_one = false;
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        is_one = is_one || SIGNALS[i] == number;
    }
    return is_one;
}

void signals_catch(struct signals *signals, void (*handler)(int number), bool once) {
    const struct sigaction action = {.sa_handler = handler, .sa_flags = once ? (int)SA_RESETHAND : 0};
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        struct sigaction *before = &signals->before[i];
        signals->caught[i] = sigaction(SIGNALS[i], NULL, before) == 0 && before->sa_handler != SIG_IGN &&
                             sigaction(SIGNALS[i], &action, NULL) == 0;
    }
}

void signals_restore(struct signals *signals) {
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        if (signals->caught[i]) {
            (void)sigaction(SIGNALS[i], &signals->before[i], NULL);
            signals->caught[i] = false;
        }
    }
}
