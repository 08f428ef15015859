/*
 * `gantry-init inside PID PROGRAM ARGUMENT…`: a hook that the runtime specification wants in the container's namespaces, before its root is
 * entered. The program is the host's: the mount namespace still has the host's file systems, the container's root beside them.
 */
#include "gantry.h"

#include <sched.h>
#include <sys/wait.h>

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID)

extern char **environ;

/* `arguments`: the program's path, its arguments from the zeroth on, NULL. Returns its exit status, or -errno when it was not run. */
int inside_main(pid_t target, char **arguments) {
  cleanup_close int process = checked(syscall(SYS_pidfd_open, target, 0));
  if (process < 0)
    return process;
  if (setns(process, NAMESPACES) < 0)
    return -errno;
  /* The pid namespace is that of children only. */
  pid_t pid = fork();
  if (pid < 0)
    return -errno;
  if (pid == 0) {
    /* The daemon ends a hook that takes too long by ending us. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execve(arguments[0], arguments + 1, environ);
    fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
  }
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return -errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
