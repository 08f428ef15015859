/*
 * The process that becomes the container: everything between clone and execve, one plan operation after the other.
 *
 * It starts as a copy of the monitor and first lets go of every descriptor but its standard streams, the socket to the monitor and, for
 * an exec, the pidfd of the process it joins: from then on nothing of the host can leak into the container by accident.
 */
#include "gantry.h"

int child_send(const struct child_message *message, int fd) {
  struct iovec part = {(void *) (uintptr_t) message, sizeof(*message)};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof(control.bytes);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
  }
  return sendmsg(CHILD_SYNC, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int child_wait(char expected) {
  for (;;) {
    char word;
    ssize_t n = read(CHILD_SYNC, &word, 1);
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n == 0) /* The monitor is gone: nobody would reap us, log us, or undo us. */
      _exit(1);
    if (n == 1 && word == expected)
      return 0;
  }
}

/* Of what the launcher has changed. */
static void reset_signals(void) {
  sigset_t none;
  signal(SIGHUP, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Puts `fds` at 0, 1 …; the sources may be anywhere, so they are first moved out of the way. */
static int arrange(int *fds, int count) {
  for (int i = 0; i < count; i++)
    if (fds[i] >= 0 && (fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, count)) < 0)
      return -errno;
  for (int i = 0; i < count; i++) {
    close(i);
    if (fds[i] >= 0 && dup3(fds[i], i, i > STDERR_FILENO ? O_CLOEXEC : 0) < 0)
      return -errno;
  }
  return checked(syscall(SYS_close_range, count, ~0U, 0));
}

static int run(struct child *child, const struct op *op) {
  int result = mount_operation(child, op);
  if (result == NOT_MINE)
    result = process_operation(child, op);
  return op->flags & OP_FLAG_OPTIONAL ? 0 : result;
}

void child_main(const unsigned char *plan, size_t size, const int stdio[3], int sync, int target) {
  int fds[CHILD_FIRST_FREE] = {stdio[0], stdio[1], stdio[2], sync, target};
  struct child child = {.plan = plan, .size = size, .root = -1, .directory_cover = -1, .file_cover = -1};
  struct child_message failure = {.type = CHILD_FAILED};

  /* Early, so that the monitor's end is ours; again after the change of user, which resets it. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  set_title("gantry-child", "");
  int result = arrange(fds, CHILD_FIRST_FREE);
  reset_signals();
  setsid();

  struct cursor cursor = {plan, plan + size, 0};
  struct op op = {0};
  while (result >= 0 && plan_next(&cursor, &op) > 0)
    if (op_stage(&op) == STAGE_CHILD)
      result = run(&child, &op);

  failure.value = op.index;
  failure.error = (uint32_t) -result;
  child_send(&failure, -1);
  _exit(127);
}
