/* files.c: copying a file. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>

#include "owned.h"

bool file_copy(const char *from, const char *to, bool sync, struct failure *failure) {
    CLEANUP(fd_closep) int in = open(from, O_RDONLY | O_CLOEXEC);
    CLEANUP(fd_closep) int out = in >= 0 ? open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    ssize_t sent = out >= 0 ? 1 : -1;
    while (sent > 0) {
        sent = sendfile(out, in, NULL, (size_t)1 << 30);
    }
    return (sent == 0 && (!sync || fsync(out) == 0)) ||
           failure_set(failure, "cannot copy %s to %s: %s", from, to, strerror(errno));
}
