/* The monitor before and during the launch: control groups, reserved ports, streams, clone3, the host's side of the network. */
#include "monitor.h"

#include <ftw.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/un.h>

static int do_state(struct monitor *monitor, const struct op *op) {
  set_title("gantry-monitor", op->field[F_STATE_TITLE].bytes);
  monitor->directory = open(op->field[F_STATE_DIRECTORY].bytes, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (monitor->directory < 0)
    return -errno;
  monitor->listener = listen_in(monitor->directory, MONITOR_SOCKET);
  return monitor->listener < 0 ? monitor->listener : 0;
}

/* `ours` is the monitor's end, not blocking; the other is the child's. */
static int make_pipe(int *ours, int *theirs, bool we_read) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return -errno;
  *ours = ends[we_read ? 0 : 1];
  *theirs = ends[we_read ? 1 : 0];
  return checked(fcntl(*ours, F_SETFL, O_NONBLOCK));
}

static int do_stdio(struct monitor *monitor, const struct op *op) {
  monitor->stdio = (uint32_t) op->field[F_STDIO_FLAGS].number;
  monitor->clients.framed = !(monitor->stdio & STDIO_TTY);
  /* With a terminal the child makes it, inside the container, and sends us the master. */
  int result = 0;
  for (int i = 0; i <= STDERR_FILENO && result >= 0; i++) {
    if (monitor->stdio & STDIO_TTY || (i == 0 && !(monitor->stdio & STDIO_OPEN_STDIN)))
      result = monitor->child_stdio[i] = checked(open("/dev/null", O_RDWR | O_CLOEXEC));
    else
      result = make_pipe(i == 0 ? &monitor->input : &monitor->output[i - 1], &monitor->child_stdio[i], i > 0);
  }
  return result < 0 ? result : 0;
}

/* Above everything else the monitor opens, so that all ports can be closed in one call. */
enum { FIRST_PORT_FD = 128 };
_Static_assert(MAX_CLIENTS + 32 < FIRST_PORT_FD, "clients must stay below the ports");

static int do_bind_port(const struct op *op) {
  const struct field *address = &op->field[F_BIND_PORT_ADDRESS];
  struct sockaddr_storage storage;
  memcpy(&storage, address->bytes, address->length);
  int sock = socket(storage.ss_family, (int) op->field[F_BIND_PORT_TYPE].number | SOCK_CLOEXEC, (int) op->field[F_BIND_PORT_PROTOCOL].number);
  if (sock < 0)
    return -errno;
  /* [::] must not take 0.0.0.0 with it: that is a reservation of its own. */
  const int yes = 1, no = 0;
  if (storage.ss_family == AF_INET6 && setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) < 0)
    return -errno;
  /*
   * SO_REUSEADDR for the moment of the bind: connections of an earlier server in TIME_WAIT do not count, one that listens does. Left on,
   * a later server that sets it too could take the port.
   */
  bool stream = op->field[F_BIND_PORT_TYPE].number == SOCK_STREAM;
  if (stream && setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
    return -errno;
  if (bind(sock, (struct sockaddr *) &storage, address->length) < 0)
    return -errno;
  if (stream && setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no)) < 0)
    return -errno;
  int kept = checked(fcntl(sock, F_DUPFD_CLOEXEC, FIRST_PORT_FD));
  close(sock);
  return kept < 0 ? kept : 0;
}

/* Before the exit is reported: the next container may want the same ports. */
void monitor_release_ports(void) {
  syscall(SYS_close_range, FIRST_PORT_FD, ~0U, 0);
}

static int do_pid_namespace(const struct op *op) {
  cleanup_close int fd = open(op->field[F_PID_NAMESPACE_PATH].bytes, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? -errno : checked(setns(fd, CLONE_NEWPID));
}

static int do_target(struct monitor *monitor, const struct op *op) {
  monitor->target = checked(syscall(SYS_pidfd_open, (pid_t) op->field[F_TARGET_PID].number, 0));
  monitor->exec = true;
  return monitor->target < 0 ? monitor->target : 0;
}

static int do_make_cgroup(const char *path) {
  if (mkdir(path, 0755) == 0 || errno == EEXIST)
    return 0;
  cleanup_close int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  cleanup_close int made = root < 0 ? -errno : target_in_root(root, path, 'd', 0);
  return made < 0 ? made : 0;
}

static int prepare(struct monitor *monitor, const struct op *op) {
  const struct field *f = op->field;
  switch (op->code) {
  case OP_STATE: return do_state(monitor, op);
  case OP_STDIO: return do_stdio(monitor, op);
  case OP_LOG:
    return log_open(f[F_LOG_PATH].bytes, f[F_LOG_MAX_SIZE].number, (uint32_t) f[F_LOG_MAX_FILE].number, f[F_LOG_EXTRA].bytes,
                    f[F_LOG_EXTRA].length);
  case OP_MAKE_CGROUP: return do_make_cgroup(f[F_MAKE_CGROUP_PATH].bytes);
  case OP_WRITE_CGROUP: return write_file(f[F_WRITE_CGROUP_PATH].bytes, f[F_WRITE_CGROUP_VALUE].bytes);
  case OP_BIND_PORT: return do_bind_port(op);
  case OP_NAMESPACES:
    monitor->clone_flags = f[F_NAMESPACES_FLAGS].number;
    return 0;
  case OP_PID_NAMESPACE: return do_pid_namespace(op);
  case OP_TARGET: return do_target(monitor, op);
  case OP_INTO_CGROUP:
    monitor->into = open(f[F_INTO_CGROUP_PATH].bytes, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return monitor->into < 0 ? -errno : 0;
  default: return 0; /* What is looked up when it is over. */
  }
}

static int do_netlink_host(struct monitor *monitor, const struct op *op) {
  const struct field *offsets = &op->field[F_NETLINK_HOST_PID_OFFSETS];
  /* The plan's bytes are ours alone: the child has its own copy since clone. */
  char *bytes = (char *) (uintptr_t) op->field[F_NETLINK_HOST_BYTES].bytes;
  uint32_t pid = (uint32_t) monitor->pid;
  for (size_t i = 0; i < offsets->length; i += sizeof(uint32_t)) {
    uint32_t offset;
    memcpy(&offset, offsets->bytes + i, sizeof(offset));
    memcpy(bytes + offset, &pid, sizeof(pid));
  }
  if (monitor->netlink < 0 && (monitor->netlink = netlink_open()) < 0)
    return monitor->netlink;
  return netlink_send(monitor->netlink, bytes, op->field[F_NETLINK_HOST_BYTES].length);
}

static int clone_child(struct monitor *monitor) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return -errno;
  monitor->sync = pair[0];
  struct clone_args arguments = {
    .flags = monitor->clone_flags | CLONE_PIDFD | (monitor->into >= 0 ? CLONE_INTO_CGROUP : 0ull),
    .pidfd = (uintptr_t) &monitor->pidfd,
    .exit_signal = SIGCHLD,
    .cgroup = monitor->into >= 0 ? (unsigned) monitor->into : 0u,
  };
  monitor->pid = checked(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (monitor->pid == 0)
    child_main(monitor->plan, monitor->size, monitor->child_stdio, pair[1], monitor->target);
  close(pair[1]);
  for (int i = 0; i <= STDERR_FILENO; i++)
    if (monitor->child_stdio[i] >= 0)
      close(monitor->child_stdio[i]);
  monitor->joiner = monitor->exec ? monitor->pid : 0;
  if (monitor->target >= 0)
    close(monitor->target);
  if (monitor->into >= 0)
    close(monitor->into);
  monitor->target = monitor->into = -1;
  if (monitor->pid < 0)
    return monitor->pid;
  if (monitor->clone_flags & CLONE_NEWNS) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", monitor->pid);
    monitor->mount_namespace = open(path, O_RDONLY | O_CLOEXEC);
  }
  return 0;
}

int monitor_launch(struct monitor *monitor, uint32_t *failed) {
  struct cursor cursor = {monitor->plan, monitor->plan + monitor->size, 0};
  struct op op = {0};
  int result = plan_validate(monitor->plan, monitor->size, failed);
  if (result < 0)
    return result;
  monitor->kept = plan_kept(monitor->plan, monitor->size);
  bool cloned = false, host = false;
  while (plan_next(&cursor, &op) > 0 && result >= 0) {
    *failed = op.index;
    if (op_stage(&op) < STAGE_HOST) {
      result = prepare(monitor, &op);
      if (op.flags & OP_FLAG_OPTIONAL)
        result = 0;
      continue;
    }
    if (!cloned && (result = clone_child(monitor)) < 0)
      return result;
    cloned = true;
    if (op_stage(&op) == STAGE_CHILD)
      break;
    result = do_netlink_host(monitor, &op);
    host = true;
  }
  if (monitor->netlink >= 0)
    close(monitor->netlink);
  if (result >= 0 && host && write(monitor->sync, &(char){GO_HOST_DONE}, 1) < 0)
    result = 0; /* The child is gone: its report is on the way. */
  return result;
}

/* Each kept operation of one kind in turn. */
static bool next_kept(const struct monitor *monitor, struct cursor *cursor, struct op *op, uint16_t code) {
  if (cursor->at == NULL)
    *cursor = (struct cursor){monitor->plan, monitor->plan + monitor->kept, 0};
  while (plan_next(cursor, op) > 0)
    if (op->code == code)
      return true;
  return false;
}

void monitor_kill_remaining(struct monitor *monitor) {
  struct cursor cursor = {0};
  struct op op;
  while (next_kept(monitor, &cursor, &op, OP_KILL_REMAINING)) {
    /* Again until nobody is left: they may fork meanwhile. Bounded, as an unkillable one stays for ever. */
    int pid, found = 1;
    for (int round = 0; round < 50 && found > 0; round++) {
      FILE *pids = fopen(op.field[F_KILL_REMAINING_PATH].bytes, "re");
      found = 0;
      /* 0 is one outside of our pid namespace, and to kill() our own group. */
      for (; pids != NULL && fscanf(pids, "%d", &pid) == 1 && pid > 0; found++)
        kill(pid, SIGKILL);
      if (pids != NULL)
        fclose(pids);
      if (found > 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
  }
}

static int remove_below(const char *path, const struct stat *info, int type, struct FTW *where) {
  (void) info;
  if (type == FTW_DP && where->level > 0)
    rmdir(path);
  return 0;
}

void monitor_remove_cgroups(struct monitor *monitor) {
  struct cursor cursor = {0};
  struct op op;
  while (next_kept(monitor, &cursor, &op, OP_REMOVE_CGROUP)) {
    const char *path = op.field[F_REMOVE_CGROUP_PATH].bytes;
    /*
     * EBUSY lasts for a moment after the last process has ended; half a second of it means that somebody else sits there. A container that
     * may write to its control groups (privileged) may have made some below.
     */
    for (long wait = 100000; rmdir(path) < 0 && errno == EBUSY && wait < 200000000; wait += wait / 2) {
      nftw(path, remove_below, 8, FTW_DEPTH | FTW_PHYS);
      nanosleep(&(struct timespec){.tv_nsec = wait}, NULL);
    }
  }
}

/* Lines of a word and a number, in memory.oom_control (v1) as in memory.events (v2). */
bool monitor_oom_killed(struct monitor *monitor) {
  struct cursor cursor = {0};
  struct op op;
  char word[64];
  unsigned long count, killed = 0;
  if (!next_kept(monitor, &cursor, &op, OP_OOM_FILE))
    return false;
  FILE *lines = fopen(op.field[F_OOM_FILE_PATH].bytes, "re");
  while (lines != NULL && fscanf(lines, "%63s %lu", word, &count) == 2)
    if (strcmp(word, "oom_kill") == 0)
      killed = count;
  if (lines != NULL)
    fclose(lines);
  return killed > 0;
}
