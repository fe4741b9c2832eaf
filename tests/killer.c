/* Preloaded into a process: counts the calls that change files below KILLER_HOME, and dies at the n-th as by kill -9.

   The process arms itself with killer_arm(); a child inherits KILLER_AT and counts by itself, and takes KILLER_ROOT
   with it when that names a process. What was hit is appended to KILLER_LOG. Every fourth dying write is torn. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long left = -1;
static long counted = 0;
static int torn = 0;

void killer_arm(long calls, int tear) { torn = tear; counted = 0; left = calls; }
long killer_counted(void) { return counted; }

__attribute__((constructor)) static void arm_from_environment(void)
{
    const char *at = getenv("KILLER_AT");
    if (at) killer_arm(atol(at), atol(at) % 4 == 0);
}

static int below_home(const char *path)
{
    const char *home = getenv("KILLER_HOME");
    return home && strstr(path, home);
}

static int named(int fd, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    path[length > 0 ? length : 0] = 0;
    return below_home(path);
}

static int due(void)
{
    __sync_add_and_fetch(&counted, 1);
    return left > 0 && __sync_sub_and_fetch(&left, 1) == 0;
}

static void die(const char *call, const char *path)
{
    char line[4200];
    const char *log = getenv("KILLER_LOG"), *root = getenv("KILLER_ROOT");
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    int fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (fd >= 0 && real(fd, line, length) != length) _exit(70);
    if (root && atoi(root) > 0) kill(atoi(root), SIGKILL);
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define REAL(name, type, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)
#define AT_DESCRIPTOR(name, fd) do { char at[4097]; if (named(fd, at, sizeof at) && due()) die(name, at); } while (0)
#define AT_PATH(name, path) do { if (below_home(path) && due()) die(name, path); } while (0)

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write, ssize_t, int, const void *, size_t);
    char at[4097];
    if (named(fd, at, sizeof at) && due()) {
        if (torn && real(fd, data, size / 2) < 0) _exit(71);
        die(torn ? "write-torn" : "write", at);
    }
    return real(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev, ssize_t, int, const struct iovec *, int);
    AT_DESCRIPTOR("write", fd);
    return real(fd, parts, count);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    REAL(pwrite64, ssize_t, int, const void *, size_t, off64_t);
    char at[4097];
    if (named(fd, at, sizeof at) && due()) {
        if (torn && real(fd, data, size / 2, offset) < 0) _exit(71);
        die(torn ? "write-torn" : "write", at);
    }
    return real(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return pwrite64(fd, data, size, offset); }

int fsync(int fd) { REAL(fsync, int, int); AT_DESCRIPTOR("sync", fd); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync, int, int); AT_DESCRIPTOR("sync", fd); return real(fd); }

int ftruncate64(int fd, off64_t size)
{
    REAL(ftruncate64, int, int, off64_t);
    AT_DESCRIPTOR("truncate", fd);
    return real(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int rename(const char *from, const char *to) { REAL(rename, int, const char *, const char *); AT_PATH("rename", to); return real(from, to); }
int unlink(const char *path) { REAL(unlink, int, const char *); AT_PATH("unlink", path); return real(path); }
int rmdir(const char *path) { REAL(rmdir, int, const char *); AT_PATH("rmdir", path); return real(path); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir, int, const char *, mode_t); AT_PATH("mkdir", path); return real(path, mode); }

int unlinkat(int folder, const char *path, int flags)
{
    REAL(unlinkat, int, int, const char *, int);
    AT_DESCRIPTOR("unlink", folder);
    return real(folder, path, flags);
}
