/*
 * What a container with CAP_SYS_PTRACE tries while somebody execs into it: attaches to every new process at its first instant, by trying the next
 * process ids in a tight loop, and looks at it while it stands still. Prints `caught NAME` for each and a line for everything it has that we,
 * a process of the container, have not. Ends after so many milliseconds, or when it has caught enough of the engine's own, before their program ran.
 * Usage: trace-newcomers MILLISECONDS ENOUGH
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD = 8, PATH = 128, TEXT = 4096 };

static const char *const NAMESPACES[] = {"mnt", "net", "ipc", "uts", "cgroup", "pid", "user"};

static void path_of(char *path, pid_t pid, const char *what) {
  snprintf(path, PATH, "/proc/%d/%s", pid, what);
}

static void link_of(char *text, pid_t pid, const char *what) {
  char path[PATH];
  path_of(path, pid, what);
  ssize_t n = readlink(path, text, TEXT - 1);
  text[n < 0 ? 0 : n] = '\0';
}

static void content_of(char *text, pid_t pid, const char *what) {
  char path[PATH];
  path_of(path, pid, what);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read(fd, text, TEXT - 1);
  text[n < 0 ? 0 : n] = '\0';
  if (fd >= 0)
    close(fd);
}

/* Of /proc/PID/status. */
static void status_of(char *value, pid_t pid, const char *name) {
  char text[TEXT];
  content_of(text, pid, "status");
  const char *found = strstr(text, name);
  snprintf(value, 64, "%.*s", found == NULL ? 0 : (int) strcspn(found, "\n"), found == NULL ? "" : found);
}

static void compare(const char *what, const char *theirs, const char *ours) {
  if (strcmp(theirs, ours) != 0)
    printf("%s: %s, ours %s\n", what, theirs, ours);
}

static void look_at_directory(pid_t pid, const char *what) {
  char path[PATH];
  struct stat theirs, ours;
  path_of(path, pid, what);
  if (stat(path, &theirs) < 0 || stat("/", &ours) < 0 || theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino)
    printf("%s: not the container's root\n", what);
}

static void look_at_descriptors(pid_t pid) {
  char path[PATH], name[64], target[TEXT];
  struct stat theirs, ours;
  path_of(path, pid, "fd");
  DIR *directory = opendir(path);
  for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
    if (entry->d_name[0] == '.')
      continue;
    snprintf(name, sizeof(name), "fd/%.16s", entry->d_name);
    link_of(target, pid, name);
    path_of(path, pid, name);
    /* Its streams, the socket by which a failure is told, and the container's own /dev/null. */
    bool null = stat(path, &theirs) == 0 && stat("/dev/null", &ours) == 0 && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
    if (!null && strncmp(target, "pipe:", 5) != 0 && strncmp(target, "socket:", 7) != 0)
      printf("%s: %s\n", name, target);
  }
  if (directory != NULL)
    closedir(directory);
}

/* Whether it is the engine's own. */
static bool look_at(pid_t pid) {
  char theirs[TEXT], ours[TEXT], name[64];
  content_of(theirs, pid, "comm");
  bool own = strncmp(theirs, "gantry", 6) == 0;
  printf("caught %s", theirs);
  for (size_t i = 0; i < sizeof(NAMESPACES) / sizeof(NAMESPACES[0]); i++) {
    snprintf(name, sizeof(name), "ns/%s", NAMESPACES[i]);
    link_of(theirs, pid, name);
    link_of(ours, getpid(), name);
    compare(name, theirs, ours);
  }
  static const char *const STATES[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "Uid:", "Gid:", "Seccomp:", "NoNewPrivs:"};
  for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
    status_of(theirs, pid, STATES[i]);
    status_of(ours, getpid(), STATES[i]);
    compare(STATES[i], theirs, ours);
  }
  content_of(theirs, pid, "cgroup");
  content_of(ours, getpid(), "cgroup");
  compare("cgroup", theirs, ours);
  look_at_directory(pid, "root");
  look_at_directory(pid, "cwd");
  look_at_descriptors(pid);
  fflush(stdout);
  return own;
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The last process id given in our pid namespace. */
static pid_t last_pid(void) {
  int last = 0;
  FILE *loads = fopen("/proc/loadavg", "re");
  if (loads != NULL && fscanf(loads, "%*s %*s %*s %*s %d", &last) != 1)
    last = 0;
  if (loads != NULL)
    fclose(loads);
  return last;
}

int main(int argc, char **argv) {
  pid_t next = getpid() + 1;
  if (argc != 3)
    return 64;
  long end = now() + atol(argv[1]), missing = atol(argv[2]);
  printf("watching\n");
  fflush(stdout);
  for (unsigned round = 0; now() < end && missing > 0; round++) {
    /* Those that were too quick for us are let go. */
    if (round % 256 == 0 && last_pid() >= next)
      next = last_pid() + 1;
    for (pid_t pid = next; pid < next + AHEAD; pid++) {
      int status;
      if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
        continue;
      /* Another stop than that of the attach is its execve. */
      while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) && WSTOPSIG(status) != SIGSTOP)
        ptrace(PTRACE_CONT, pid, NULL, NULL);
      if (WIFSTOPPED(status))
        missing -= look_at(pid);
      ptrace(PTRACE_DETACH, pid, NULL, NULL);
      next = pid + 1;
    }
  }
  return 0;
}
