/* PID 1 of a container started with --init: forwards signals, reaps whatever is orphaned, exits as the program does. */
#include "gantry.h"

/* Exits the way the program ended: 128 + n for a signal, which is what the monitor sees as the container's code. */
static void reap_until(pid_t program) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (pid == program)
      _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

int init_fork(void) {
  sigset_t all, previous;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &previous);
  pid_t program = fork();
  if (program < 0)
    return -errno;
  if (program == 0) {
    /* A group of its own in the foreground, so that ^C reaches the program once and not also by way of us. */
    setpgid(0, 0);
    if (isatty(STDIN_FILENO))
      tcsetpgrp(STDIN_FILENO, getpid());
    sigprocmask(SIG_SETMASK, &previous, NULL);
    return 0;
  }
  set_title("gantry-pid1", "");
  /* The descriptors are the program's: its end of file must be seen, and its success is the sync socket's closing. */
  for (int fd = 0; fd < CHILD_FIRST_FREE; fd++) /* All there are; close_range would have to be allowed by the container's filter. */
    close(fd);
  for (;;) {
    siginfo_t info;
    int signal = sigwaitinfo(&all, &info);
    if (signal == SIGCHLD)
      reap_until(program);
    else if (signal > 0)
      kill(program, signal);
  }
}
