/* cleanup.h: destructors that run when a local leaves its scope. */
#ifndef POLARIS_PLUGIN_CLEANUP_H
#define POLARIS_PLUGIN_CLEANUP_H

/* An owned local carries its destructor from birth and starts zeroed or NULL:
 *     CLEANUP(buffer_done) struct buffer buffer = {0};
 * The destructor gets the address of the local. No goto in a function that has one. */
#define CLEANUP(destructor) __attribute__((cleanup(destructor)))

#define WARN_UNUSED __attribute__((warn_unused_result))

#endif
