// SPDX-License-Identifier: Apache-2.0
// Preloaded into the programs: kills the process at the n-th instant around the calls that change
// what is on disk: before each, after each, and in the middle of a write.
// PARIBUS_LAWS_CALL="paribus 12": the 12th of the program of that name, counted anew in each fork.
// Pipes and sockets don't count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int left = 0;

static void begin(void) {
  const char* wanted = getenv("PARIBUS_LAWS_CALL");
  const char* space = wanted != NULL ? strchr(wanted, ' ') : NULL;
  if (space == NULL) return;
  const size_t length = (size_t)(space - wanted);
  const char* name = program_invocation_short_name;
  if (strlen(name) == length && strncmp(name, wanted, length) == 0) left = atoi(space);
}

__attribute__((constructor)) static void start(void) {
  begin();
  pthread_atfork(NULL, NULL, begin);
}

static bool now(void) { return left > 0 && --left == 0; }

static void instant(void) {
  if (now()) raise(SIGKILL);
}

static bool is_file(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

#define AROUND(name, types, names)                              \
  int name types {                                              \
    static int(*real) types = NULL;                             \
    if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, #name); \
    instant();                                                  \
    const int result = real names;                              \
    instant();                                                  \
    return result;                                              \
  }

AROUND(rename, (const char* from, const char* to), (from, to))
AROUND(remove, (const char* path), (path))
AROUND(unlink, (const char* path), (path))
AROUND(mkdir, (const char* path, mode_t mode), (path, mode))
AROUND(fsync, (int fd), (fd))
AROUND(fdatasync, (int fd), (fd))
AROUND(ftruncate, (int fd, off_t size), (fd, size))

ssize_t write(int fd, const void* data, size_t size) {
  static ssize_t (*real)(int, const void*, size_t) = NULL;
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "write");
  if (left <= 0 || !is_file(fd)) return real(fd, data, size);
  instant();
  if (now()) {
    (void)!real(fd, data, size / 2);
    raise(SIGKILL);
  }
  const ssize_t result = real(fd, data, size);
  instant();
  return result;
}
