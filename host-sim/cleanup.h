/* cleanup.h: destructors that run when a local leaves its scope. */
#ifndef POLARIS_HOST_CLEANUP_H
#define POLARIS_HOST_CLEANUP_H

/* An owned local carries its destructor from birth and starts zeroed or NULL:
 *     CLEANUP(reply_done) struct reply reply = {0};
 * The destructor gets the address of the local. No goto in a function that has one. */
#define CLEANUP(destructor) __attribute__((cleanup(destructor)))

#define WARN_UNUSED __attribute__((warn_unused_result))

#endif
