/* Operations on the process itself: namespaces, limits, identity, and the program. */
#include "gantry.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

#define MAX_ARGUMENTS 65536

static int do_join_namespace(const struct op *op) {
  cleanup_close int fd = open(op->field[F_JOIN_NAMESPACE_PATH].bytes, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  return checked(setns(fd, (int) op->field[F_JOIN_NAMESPACE_TYPE].number));
}

/*
 * An exec never lands in the host: were the target's pid taken over by a process of the host in the moment between the daemon's
 * decision and our pidfd_open, its mount namespace would be the one we are in.
 */
static int do_join_target(struct child *child, const struct op *op) {
  struct stat before, after;
  if (stat("/proc/self/ns/mnt", &before) < 0)
    return -errno;
  cleanup_close int proc = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0 || setns(CHILD_TARGET, (int) op->field[F_JOIN_TARGET_FLAGS].number) < 0)
    return -errno;
  /* Through the host's proc, opened before: the container's may be mounted over. */
  if (fstatat(proc, "mnt", &after, 0) < 0)
    return -errno;
  child->joined = true;
  close(CHILD_TARGET);
  return before.st_ino == after.st_ino ? -ESRCH : 0;
}

/*
 * Into the target's pid namespace, as a process whose parent is the monitor. Who may trace in there can hold the new process at its first
 * instant and do with it as he likes, so nothing may be left that the container has not got: every other namespace, the root, identity, capabilities
 * and filter are the container's by now, and no descriptor is open but the streams and the socket to the monitor, which believes little of
 * what comes from there. clone and not clone3, write and not sendmsg: these are what filters allow.
 */
static int do_fork(void) {
  long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
  if (pid < 0)
    return -errno;
  if (pid > 0) {
    struct child_message message = {.type = CHILD_FORKED, .value = (uint32_t) pid};
    _exit(write(CHILD_SYNC, &message, sizeof(message)) < 0);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  return isatty(STDIN_FILENO) ? checked(ioctl(STDIN_FILENO, TIOCSCTTY, 0)) : 0;
}

static int do_write(struct child *child, const struct op *op) {
  const struct field *f = op->field;
  int result = write_file(f[F_WRITE_PATH].bytes, f[F_WRITE_VALUE].bytes);
  if ((result != -EACCES && result != -EPERM) || f[F_WRITE_REFUSED].number == 0)
    return result;
  child->warnings |= (uint32_t) f[F_WRITE_REFUSED].number;
  return 0;
}

static int do_netlink(const struct op *op) {
  cleanup_close int sock = netlink_open();
  return sock < 0 ? sock : netlink_send(sock, op->field[F_NETLINK_BYTES].bytes, op->field[F_NETLINK_BYTES].length);
}

static int do_rlimit(struct child *child, const struct op *op) {
  __typeof__(RLIMIT_NOFILE) resource = (__typeof__(RLIMIT_NOFILE)) op->field[F_RLIMIT_RESOURCE].number;
  struct rlimit wanted = {.rlim_cur = op->field[F_RLIMIT_SOFT].number, .rlim_max = op->field[F_RLIMIT_HARD].number}, present;
  if (setrlimit(resource, &wanted) == 0)
    return 0;
  if (errno != EPERM || getrlimit(resource, &present) < 0)
    return -errno;
  /* Raising the hard limit needs CAP_SYS_RESOURCE, which a daemon inside a container or VM guest may lack: as far as allowed. */
  child->warnings |= WARN_RLIMIT_CLAMPED;
  wanted.rlim_max = present.rlim_max;
  if (wanted.rlim_cur > wanted.rlim_max)
    wanted.rlim_cur = wanted.rlim_max;
  return checked(setrlimit(resource, &wanted));
}

static int do_seccomp(const struct op *op) {
  const struct field *filter = &op->field[F_SECCOMP_FILTER];
  struct sock_fprog program = {.len = (unsigned short) (filter->length / sizeof(struct sock_filter)),
                               .filter = (struct sock_filter *) (uintptr_t) filter->bytes};
  return checked(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->field[F_SECCOMP_FLAGS].number, &program));
}

static int do_bounding(const struct op *op) {
  /* EINVAL: past the last capability this kernel knows. */
  for (unsigned long capability = 0; capability < 64; capability++)
    if (!(op->field[F_BOUNDING_MASK].number >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
      return errno == EINVAL ? 0 : -errno;
  return 0;
}

static int do_chdir(const struct op *op) {
  char where[PATH_MAX];
  if (chdir(op->field[F_CHDIR_PATH].bytes) < 0)
    return -errno;
  /* A directory of the host reached through a leaked descriptor has no path in here (CVE-2024-21626): there is none, and we look. */
  long length = syscall(SYS_getcwd, where, sizeof(where));
  return length < 0 ? -errno : where[0] == '/' ? 0 : -ENOENT;
}

static int do_user(const struct op *op) {
  const struct field *f = op->field;
  uid_t uid = (uid_t) f[F_USER_UID].number;
  gid_t gid = (gid_t) f[F_USER_GID].number;
  struct stat info;
  /* So that /dev/stdout can be opened by its path. */
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (fstat(fd, &info) == 0 && (S_ISFIFO(info.st_mode) || isatty(fd)) && fchown(fd, uid, (gid_t) -1) < 0 && errno != EROFS)
      return -errno;
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
    return -errno;
  if (syscall(SYS_setgroups, f[F_USER_GROUPS].length / 4, f[F_USER_GROUPS].bytes) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0 ||
      syscall(SYS_setresuid, uid, uid, uid) < 0)
    return -errno;
  /* The kernel forgets both when credentials change. */
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
    return -errno;
  umask((mode_t) f[F_USER_UMASK].number);
  return 0;
}

static int do_capabilities(const struct op *op) {
  const struct field *f = op->field;
  uint64_t effective = f[F_CAPABILITIES_EFFECTIVE].number, permitted = f[F_CAPABILITIES_PERMITTED].number;
  uint64_t inheritable = f[F_CAPABILITIES_INHERITABLE].number, ambient = f[F_CAPABILITIES_AMBIENT].number;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
    {(uint32_t) effective, (uint32_t) permitted, (uint32_t) inheritable},
    {(uint32_t) (effective >> 32), (uint32_t) (permitted >> 32), (uint32_t) (inheritable >> 32)},
  };
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
    return -errno;
  for (unsigned long capability = 0; capability < 64; capability++)
    if (ambient >> capability & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
      return -errno;
  return 0;
}

static const char *path_variable(char **environment) {
  for (; *environment != NULL; environment++)
    if (strncmp(*environment, "PATH=", 5) == 0)
      return *environment + 5;
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* Tries PATH's directories in order; a file that may not be executed is remembered as the better explanation. */
static int search(char **arguments, char **environment) {
  const char *program = arguments[0];
  int result = -ENOENT;
  if (strchr(program, '/') != NULL) {
    execve(program, arguments, environment);
    return -errno;
  }
  for (const char *at = path_variable(environment); *program != '\0';) {
    char candidate[PATH_MAX];
    size_t length = strcspn(at, ":");
    /* Empty and relative entries would run what lies in the working directory: refused, as Go's LookPath does. */
    if (at[0] == '/' && (size_t) snprintf(candidate, sizeof(candidate), "%.*s/%s", (int) length, at, program) < sizeof(candidate)) {
      execve(candidate, arguments, environment);
      if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
        return -errno;
      if (errno == EACCES)
        result = -EACCES;
    }
    if (at[length] == '\0')
      break;
    at += length + 1;
  }
  return result;
}

static int do_execve(const struct op *op) {
  static char *arguments[MAX_ARGUMENTS], *environment[MAX_ARGUMENTS];
  int count = field_vector(&op->field[F_EXECVE_ARGUMENTS], arguments, MAX_ARGUMENTS);
  int variables = field_vector(&op->field[F_EXECVE_ENVIRONMENT], environment, MAX_ARGUMENTS);
  if (count < 0 || variables < 0)
    return -E2BIG;
  int ready = op->field[F_EXECVE_FLAGS].number & EXECVE_INIT ? init_fork() : 0;
  if (ready < 0)
    return ready;
  return search(arguments, environment);
}

static bool is_null_device(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

/*
 * A stdin that nobody writes to has been the host's /dev/null so far, whose mode and owner could be changed through the descriptor. Now
 * that the root is the container's, its own takes the place; where that is something else, a pipe at its end.
 */
static int replace_null(void) {
  if (!is_null_device(STDIN_FILENO))
    return 0;
  /* O_NONBLOCK: the container may have put a FIFO there. */
  cleanup_close int own = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  if (own >= 0 && is_null_device(own))
    return fcntl(own, F_SETFL, O_RDWR) < 0 ? -errno : checked(dup2(own, STDIN_FILENO));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    return -errno;
  close(ends[1]);
  cleanup_close int ended = ends[0];
  return checked(dup2(ended, STDIN_FILENO));
}

static int do_wait_start(struct child *child) {
  int replaced = replace_null();
  if (replaced < 0)
    return replaced;
  int sent = child_send(&(struct child_message){.type = CHILD_READY, .value = child->warnings}, -1);
  return sent < 0 ? sent : child_wait(GO_START);
}

static int do_hold(struct child *child) {
  int sent = child_send(&(struct child_message){.type = CHILD_READY, .value = child->warnings}, -1);
  while (sent >= 0)
    child_wait(GO_START); /* Ends with the monitor. */
  return sent;
}

int process_operation(struct child *child, const struct op *op) {
  const struct field *f = op->field;
  switch (op->code) {
  case OP_WRITE: return do_write(child, op);
  case OP_UNSHARE: return checked(unshare((int) f[F_UNSHARE_FLAGS].number));
  case OP_JOIN_NAMESPACE: return do_join_namespace(op);
  case OP_JOIN_TARGET: return do_join_target(child, op);
  case OP_FORK: return do_fork();
  case OP_WAIT_HOST: return child_wait(GO_HOST_DONE);
  case OP_NETLINK: return do_netlink(op);
  case OP_RLIMIT: return do_rlimit(child, op);
  case OP_KEYRING: return checked(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, f[F_KEYRING_NAME].bytes));
  case OP_WAIT_START: return do_wait_start(child);
  case OP_NO_NEW_PRIVILEGES: return checked(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  case OP_SECCOMP: return do_seccomp(op);
  case OP_BOUNDING: return do_bounding(op);
  case OP_CHDIR: return do_chdir(op);
  case OP_USER: return do_user(op);
  case OP_CAPABILITIES: return do_capabilities(op);
  case OP_EXECVE: return do_execve(op);
  case OP_HOLD: return do_hold(child);
  default: return -EBADMSG;
  }
}
