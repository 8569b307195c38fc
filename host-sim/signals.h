/* signals.h: the signals that ask a program to end, caught while there is something to tidy up. */
#ifndef POLARIS_HOST_SIGNALS_H
#define POLARIS_HOST_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* SIGINT, SIGTERM and SIGHUP. */
enum { SIGNALS_COUNT = 3 };
bool signals_ask_to_end(int number); /* is it one of them */

struct signals {
    struct sigaction before[SIGNALS_COUNT];
    bool caught[SIGNALS_COUNT];
};
/* Those that whoever started the program has it ignore, as nohup does, stay ignored. With `once` the second of a kind
 * does what it would have done without. */
void signals_catch(struct signals *signals, void (*handler)(int number), bool once);
/* As it was before. Handlers may call it. */
void signals_restore(struct signals *signals);

#endif
