/* A disk that fails: preloaded into a process, it makes calls on files below a directory fail.
 *
 *   FAULT_IN     the directory
 *   FAULT_CALL   write, read or fsync
 *   FAULT_AT     the first of these calls that fails, from 1; all later ones do too
 *   FAULT_ERRNO  with what
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static int fails(const char *call, int file) {
    const char *wanted = getenv("FAULT_CALL"), *directory = getenv("FAULT_IN");
    if (!wanted || !directory || strcmp(call, wanted) != 0) return 0;
    char name[64], path[PATH_MAX];
    int before = errno;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    size_t above = strlen(directory);
    if (strncmp(path, directory, above) != 0 || path[above] != '/') return 0;
    if (atomic_fetch_add(&calls, 1) + 1 < atol(getenv("FAULT_AT"))) return 0;
    errno = atoi(getenv("FAULT_ERRNO"));
    return 1;
}

ssize_t write(int file, const void *bytes, size_t length) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return fails("write", file) ? -1 : real(file, bytes, length);
}

ssize_t read(int file, void *bytes, size_t length) {
    ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    return fails("read", file) ? -1 : real(file, bytes, length);
}

int fsync(int file) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return fails("fsync", file) ? -1 : real(file);
}
