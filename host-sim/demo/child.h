/* child.h: what the parent and the child that it kills agree on. */
#ifndef POLARIS_HOST_CHILD_H
#define POLARIS_HOST_CHILD_H

/* The child appends from so many threads, one event a request: no more than that are unacknowledged when it dies. */
enum { CHILD_THREADS = 4, CHILD_KEY_SIZE = 64 };

/* The hidden option of the command `demo` that makes it the child. */
#define CHILD_OPTION "append-until-killed"

/* A line on standard output for each acknowledged event. */
#define CHILD_LINE_PRINT "%" PRId64 " %s\n"
#define CHILD_LINE_SCAN "%" SCNd64 " %63s"

#endif
