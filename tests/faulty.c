/* Preloaded into a process: reading a file whose path contains one of the names in FAULTY_NAMES (one a line) fails as
   on a dying disk, as long as the file FAULTY_SWITCH exists. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int faulty(int fd)
{
    const char *name = getenv("FAULTY_NAMES"), *on = getenv("FAULTY_SWITCH");
    char link[64], path[4097], part[1025];
    if (!name || !on) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    while (*name) {
        size_t size = strcspn(name, "\n");
        if (size && size < sizeof part) {
            memcpy(part, name, size);
            part[size] = 0;
            if (strstr(path, part) && access(on, F_OK) == 0) {
                errno = EIO;
                return 1;
            }
        }
        name += size + (name[size] == '\n');
    }
    return 0;
}

#define REAL(name, type, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t read(int fd, void *data, size_t size)
{
    REAL(read, ssize_t, int, void *, size_t);
    return faulty(fd) ? -1 : real(fd, data, size);
}

ssize_t readv(int fd, const struct iovec *parts, int count)
{
    REAL(readv, ssize_t, int, const struct iovec *, int);
    return faulty(fd) ? -1 : real(fd, parts, count);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
    REAL(pread64, ssize_t, int, void *, size_t, off64_t);
    return faulty(fd) ? -1 : real(fd, data, size, offset);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset) { return pread64(fd, data, size, offset); }
