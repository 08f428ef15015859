/*
 * The launcher: accepts a connection and forks a monitor for it, nothing else. Being tiny, its fork costs about 0.1 ms, where one of
 * the daemon's would cost milliseconds; and it outlives the daemon, so that monitors have a parent that reaps them.
 */
#include "gantry.h"

#include <libgen.h>
#include <sys/file.h>
#include <sys/signalfd.h>

/* How often a launcher without children looks whether its socket is still there. */
#define LONELY_MS 5000

/*
 * A monitor that was killed has left its container to us, the nearest subreaper. PR_SET_PDEATHSIG takes most of them, but a program
 * that changed its credentials has lost that setting. Containers lead sessions of their own, monitors stay in the launcher's.
 */
static void kill_orphans(void) {
  /* CONFIG_PROC_CHILDREN: distributions set it for CRIU. */
  FILE *children = fopen("/proc/thread-self/children", "re");
  int pid;
  while (children != NULL && fscanf(children, "%d", &pid) == 1)
    if (getsid(pid) != getsid(0))
      kill(pid, SIGKILL);
  if (children != NULL)
    fclose(children);
}

/* True when no child is left. */
static bool reap(int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof(info)) > 0)
    ;
  bool killed = false;
  pid_t pid;
  for (int status; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    killed |= WIFSIGNALED(status);
  if (killed)
    kill_orphans();
  return pid < 0;
}

int launcher_main(const char *socket_path) {
  /* What the daemon's other children may have been meant to inherit. */
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
  static char directory_path[PATH_MAX], name[PATH_MAX];
  strcpy(directory_path, socket_path);
  strcpy(name, basename(directory_path));
  strcpy(directory_path, socket_path);
  cleanup_close int directory = open(dirname(directory_path), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return -errno;

  /* The lock, not the socket, says whether a launcher lives: it cannot go stale. */
  strcat(strcpy(directory_path, name), ".lock");
  cleanup_close int lock = openat(directory, directory_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0)
    return -errno;
  if (flock(lock, LOCK_EX | LOCK_NB) < 0)
    return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
  cleanup_close int listener = listen_in(directory, name);
  if (listener < 0)
    return listener;

  setsid();
  for (int number = 1; number <= 64; number++)
    signal(number, SIG_DFL);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t child_signal;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, NULL);
  cleanup_close int signals = signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0 || chdir("/") < 0)
    return -errno;
  umask(022);

  /* The starter waits for this line; afterwards nothing of the daemon's is held. */
  if (write_full(STDOUT_FILENO, "ready\n", 6) < 0)
    return -EPIPE;
  cleanup_close int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0)
    return -errno;
  for (int fd = 0; fd <= 2; fd++)
    dup2(null, fd);
  set_title("gantry-launcher", socket_path);

  bool childless = true;
  struct pollfd polled[] = {{.fd = listener, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
  for (;;) {
    int ready = poll(polled, 2, childless ? LONELY_MS : -1);
    if (ready < 0 && errno != EINTR)
      return -errno;
    /* Nobody can reach us any more: the directory was cleaned away. */
    if (ready == 0 && faccessat(directory, name, F_OK, 0) < 0)
      return 0;
    if (polled[1].revents != 0)
      childless = reap(signals);
    if (polled[0].revents == 0)
      continue;
    cleanup_close int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0 || !peer_trusted(connection))
      continue;
    /* Failing to fork closes the connection: the daemon sees an end of file and says so. */
    childless = false;
    if (fork() == 0)
      monitor_main(connection);
  }
}
