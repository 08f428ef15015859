/*
 * Operations that build the container's file system. The image is hostile: every path inside the root is resolved by the kernel with
 * RESOLVE_IN_ROOT and used as a descriptor from then on, so neither its symbolic links nor a race with another container that shares a
 * volume leads outside. Host paths (sources, /proc/sys, the host's /dev/null) are taken from the plan alone, before pivot_root.
 */
#include "gantry.h"

#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

#define DEVPTS_MAGIC 0x1cd1
#define MAX_LINKS 40

static int clone_tree(int directory, const char *path, unsigned flags) {
  return checked(syscall(SYS_open_tree, directory, path, flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

static int attach(int mount, int target) {
  return checked(syscall(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static int change_mount(int mount, struct mount_attr attributes, bool recursive) {
  return checked(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u), &attributes, sizeof(attributes)));
}

static int set_attributes(int mount, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive) {
  return change_mount(mount, (struct mount_attr){.attr_set = set, .attr_clr = clear, .propagation = propagation}, recursive);
}

/* mount(2) knows paths only; this one leads to the descriptor and no further. */
static const char *fd_path(char buffer[32], int fd) {
  snprintf(buffer, 32, "/proc/self/fd/%d", fd);
  return buffer;
}

int open_in_root(int root, const char *path, int flags, unsigned resolve) {
  struct open_how how = {.flags = (uint64_t) (unsigned) (flags | O_CLOEXEC), .resolve = (uint64_t) RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
  int fd;
  /* EAGAIN: a rename raced with the lookup of "..", which says nothing about the path. */
  do
    fd = checked(syscall(SYS_openat2, root, path, &how, sizeof(how)));
  while (fd == -EAGAIN || fd == -EINTR);
  return fd;
}

/* Splits "/a/b/c/" into parent "/a/b" and name "c"; false when there is no name. */
static bool split(const char *path, char parent[PATH_MAX], char name[NAME_MAX + 1]) {
  size_t length = strlen(path);
  while (length > 0 && path[length - 1] == '/')
    length--;
  if (length >= PATH_MAX - 1)
    return false;
  snprintf(parent, PATH_MAX, "/%.*s", (int) length, path);
  char *slash = strrchr(parent, '/');
  if (strlen(slash + 1) > NAME_MAX)
    return false;
  strcpy(name, slash + 1);
  slash[slash == parent] = '\0';
  return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int make_in_root(int root, const char *path, char kind, mode_t mode, unsigned resolve, int depth) {
  int fd = open_in_root(root, path, O_PATH | (kind == 'd' ? O_DIRECTORY : 0), resolve);
  if (fd != -ENOENT)
    return fd;
  char parent_path[PATH_MAX], name[NAME_MAX + 1], link[PATH_MAX], joined[PATH_MAX];
  if (depth > MAX_LINKS)
    return -ELOOP;
  if (!split(path, parent_path, name))
    return -ENOENT;
  cleanup_close int parent = make_in_root(root, parent_path, 'd', 0755, resolve, depth + 1);
  if (parent < 0)
    return parent;
  int made = kind == 'd' ? mkdirat(parent, name, mode) : mknodat(parent, name, S_IFREG | mode, 0);
  if (made == 0)
    return open_in_root(parent, name, O_PATH | O_NOFOLLOW, 0);
  if (errno != EEXIST)
    return -errno;
  /* A link that leads nowhere yet (/etc/resolv.conf in many images): make what it points to. */
  ssize_t length = readlinkat(parent, name, link, sizeof(link) - 1);
  if (length < 0)
    return errno == EINVAL ? -ENOTDIR : -errno;
  link[length] = '\0';
  int needed = link[0] == '/' ? snprintf(joined, sizeof(joined), "%s", link) : snprintf(joined, sizeof(joined), "%s/%s", parent_path, link);
  if (needed < 0 || (size_t) needed >= sizeof(joined))
    return -ENAMETOOLONG;
  return make_in_root(root, joined, kind, mode, resolve, depth + 1);
}

int target_in_root(int root, const char *path, char kind, unsigned resolve) {
  return make_in_root(root, path, kind, kind == 'd' ? 0755 : 0644, resolve, 0);
}

static unsigned resolve_of(uint64_t how) {
  return how & HOW_NO_SYMLINKS ? RESOLVE_NO_SYMLINKS : 0;
}

static const char *or_null(const struct field *field) {
  return field->length > 0 ? field->bytes : NULL;
}

static int do_mount_host(const struct op *op) {
  const struct field *f = op->field;
  if (f[F_MOUNT_HOST_CWD].length > 0 && chdir(f[F_MOUNT_HOST_CWD].bytes) < 0)
    return -errno;
  return checked(mount(or_null(&f[F_MOUNT_HOST_SOURCE]), f[F_MOUNT_HOST_TARGET].bytes, or_null(&f[F_MOUNT_HOST_TYPE]),
                       (unsigned long) f[F_MOUNT_HOST_FLAGS].number, or_null(&f[F_MOUNT_HOST_DATA])));
}

static int do_private_parent(const struct op *op) {
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s", op->field[F_PRIVATE_PARENT_PATH].bytes);
  /* EINVAL: not a mount point, so the next directory up. */
  while (mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0) {
    char *slash = strrchr(path, '/');
    if (errno != EINVAL || slash == NULL || path[1] == '\0')
      return -errno;
    slash[slash == path] = '\0';
  }
  return 0;
}

static int do_enter_root(struct child *child, const struct op *op) {
  child->root = open(op->field[F_ENTER_ROOT_PATH].bytes, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return child->root < 0 ? -errno : 0;
}

static int do_mount(const struct child *child, const struct op *op) {
  const struct field *f = op->field;
  unsigned resolve = resolve_of(f[F_MOUNT_HOW].number);
  char path[32], data[4096];
  struct stat info;
  const char *options = f[F_MOUNT_DATA].bytes;
  cleanup_close int present = open_in_root(child->root, f[F_MOUNT_TARGET].bytes, O_PATH | O_DIRECTORY, resolve);
  cleanup_close int target = present >= 0 ? dup(present) : target_in_root(child->root, f[F_MOUNT_TARGET].bytes, 'd', resolve);
  if (target < 0)
    return target;
  if (present >= 0 && f[F_MOUNT_HOW].number & HOW_KEEP_MODE && fstat(target, &info) == 0) {
    if ((size_t) snprintf(data, sizeof(data), "%s%smode=%o", options, options[0] ? "," : "", info.st_mode & 07777u) >= sizeof(data))
      return -E2BIG;
    options = data;
  }
  if (mount(f[F_MOUNT_SOURCE].bytes, fd_path(path, target), f[F_MOUNT_TYPE].bytes, (unsigned long) f[F_MOUNT_FLAGS].number, options) < 0)
    return -errno;
  if (f[F_MOUNT_PROPAGATION].number == 0)
    return 0;
  cleanup_close int mounted = open_in_root(child->root, f[F_MOUNT_TARGET].bytes, O_PATH, resolve);
  return mounted < 0 ? mounted : checked(mount(NULL, fd_path(path, mounted), NULL, (unsigned long) f[F_MOUNT_PROPAGATION].number, NULL));
}

/* A path below the source is somebody else's to change: resolved inside it, and what was found is what is mounted. */
static int clone_source(const struct field *f) {
  unsigned flags = f[F_BIND_HOW].number & HOW_RECURSIVE ? AT_RECURSIVE : 0;
  if (f[F_BIND_SUBPATH].length == 0)
    return clone_tree(AT_FDCWD, f[F_BIND_SOURCE].bytes, flags);
  cleanup_close int base = open(f[F_BIND_SOURCE].bytes, O_PATH | O_CLOEXEC);
  cleanup_close int inside = base < 0 ? -errno : open_in_root(base, f[F_BIND_SUBPATH].bytes, O_PATH, 0);
  return inside < 0 ? inside : clone_tree(inside, "", flags | AT_EMPTY_PATH);
}

static int map_ids(int mount, const char *user_namespace, bool recursive) {
  cleanup_close int user = open(user_namespace, O_RDONLY | O_CLOEXEC);
  return user < 0 ? -errno : change_mount(mount, (struct mount_attr){.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned) user}, recursive);
}

static int do_bind(const struct child *child, const struct op *op) {
  const struct field *f = op->field;
  uint64_t how = f[F_BIND_HOW].number;
  struct stat info;
  cleanup_close int source = clone_source(f);
  if (source < 0 || fstat(source, &info) < 0)
    return source < 0 ? source : -errno;
  cleanup_close int target = target_in_root(child->root, f[F_BIND_TARGET].bytes, S_ISDIR(info.st_mode) ? 'd' : 'f', resolve_of(how));
  if (target < 0)
    return target;
  uint64_t propagation = f[F_BIND_PROPAGATION].number;
  int set = 0;
  /* Propagation counts for the whole tree, attributes only where rro and friends say so. */
  if (propagation != 0)
    set = set_attributes(source, 0, 0, propagation & ~(uint64_t) MS_REC, propagation & MS_REC);
  if (set >= 0 && (f[F_BIND_SET].number | f[F_BIND_CLEAR].number) != 0)
    set = set_attributes(source, f[F_BIND_SET].number, f[F_BIND_CLEAR].number, 0, how & HOW_RECURSIVE_ATTRIBUTES);
  if (set >= 0 && f[F_BIND_IDMAP].length > 0)
    set = map_ids(source, f[F_BIND_IDMAP].bytes, how & HOW_RECURSIVE);
  return set < 0 ? set : attach(source, target);
}

static int do_mkdir(const struct child *child, const struct op *op) {
  cleanup_close int made = make_in_root(child->root, op->field[F_MKDIR_PATH].bytes, 'd', (mode_t) op->field[F_MKDIR_MODE].number, 0, 0);
  return made < 0 ? made : 0;
}

/* The directory a new entry goes to, with its name. */
static int open_parent(const struct child *child, const char *path, char name[NAME_MAX + 1]) {
  char parent[PATH_MAX];
  return split(path, parent, name) ? target_in_root(child->root, parent, 'd', 0) : -EINVAL;
}

static int do_symlink(const struct child *child, const struct op *op) {
  char name[NAME_MAX + 1];
  cleanup_close int parent = open_parent(child, op->field[F_SYMLINK_PATH].bytes, name);
  if (parent < 0)
    return parent;
  return symlinkat(op->field[F_SYMLINK_TARGET].bytes, parent, name) == 0 || errno == EEXIST ? 0 : -errno;
}

/*
 * A device of the host for a container: read-only, which forbids chmod, chown and touch, not reading and writing the device. Without it
 * the container's root could close /dev/null to the whole host.
 */
static int clone_host_device(const char *path) {
  int device = clone_tree(AT_FDCWD, path, 0);
  int set = device < 0 ? device : set_attributes(device, MOUNT_ATTR_RDONLY, 0, 0, false);
  return set < 0 ? set : device;
}

static int do_mknod(const struct child *child, const struct op *op) {
  const struct field *f = op->field;
  const char *path = f[F_MKNOD_PATH].bytes;
  mode_t mode = (mode_t) f[F_MKNOD_MODE].number;
  char name[NAME_MAX + 1];
  cleanup_close int parent = open_parent(child, path, name);
  if (parent < 0)
    return parent;
  mode_t old = umask(0);
  int made = checked(mknodat(parent, name, mode, makedev((unsigned) f[F_MKNOD_MAJOR].number, (unsigned) f[F_MKNOD_MINOR].number)));
  umask(old);
  if (made == -EPERM) {
    cleanup_close int source = clone_host_device(path);
    cleanup_close int target = target_in_root(child->root, path, 'f', 0);
    return source < 0 ? source : target < 0 ? target : attach(source, target);
  }
  if (made < 0)
    return made == -EEXIST ? 0 : made;
  return checked(fchownat(parent, name, (uid_t) f[F_MKNOD_UID].number, (gid_t) f[F_MKNOD_GID].number, AT_SYMLINK_NOFOLLOW));
}

static int empty_directory(void) {
  cleanup_close int context = checked(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
  if (context < 0)
    return context;
  if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
      syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "nr_blocks", "1", 0) < 0 ||
      syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
      syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
    return -errno;
  return checked(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY));
}

/*
 * Directories are covered by an empty file system, files by the host's /dev/null, as the image's may be anything. Each cover is made and
 * attached once and cloned from there: kernels before 6.15 refuse to clone a mount that is attached nowhere.
 */
static int do_mask(struct child *child, const struct op *op) {
  struct stat info;
  cleanup_close int target = open_in_root(child->root, op->field[F_MASK_PATH].bytes, O_PATH, 0);
  if (target < 0)
    return target == -ENOENT || target == -ENOTDIR ? 0 : target;
  if (fstat(target, &info) < 0)
    return -errno;
  int *cover = S_ISDIR(info.st_mode) ? &child->directory_cover : &child->file_cover;
  if (*cover >= 0) {
    cleanup_close int copy = clone_tree(*cover, "", AT_EMPTY_PATH);
    return copy < 0 ? copy : attach(copy, target);
  }
  *cover = S_ISDIR(info.st_mode) ? empty_directory() : clone_host_device("/dev/null");
  return *cover < 0 ? *cover : attach(*cover, target);
}

static int do_readonly(const struct child *child, const struct op *op) {
  cleanup_close int target = open_in_root(child->root, op->field[F_READONLY_PATH].bytes, O_PATH, 0);
  if (target < 0)
    return target == -ENOENT || target == -ENOTDIR ? 0 : target;
  /* EINVAL: not the root of a mount, so it becomes one. */
  int set = set_attributes(target, MOUNT_ATTR_RDONLY, 0, 0, false);
  if (set != -EINVAL)
    return set;
  cleanup_close int copy = clone_tree(target, "", AT_EMPTY_PATH | AT_RECURSIVE);
  if (copy < 0)
    return copy;
  set = set_attributes(copy, MOUNT_ATTR_RDONLY, 0, 0, false);
  return set < 0 ? set : attach(copy, target);
}

/* pivot_root(".", "."): the old root ends up on top of the new one and is detached (pivot_root(2), NOTES). */
static int do_pivot(struct child *child, const struct op *op) {
  unsigned long propagation = (unsigned long) op->field[F_PIVOT_PROPAGATION].number;
  cleanup_close int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (old < 0 || fchdir(child->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
    return -errno;
  /* Into the old root, as "." is still the new one to mount(2). Slave first: unmounting must not propagate to the host. */
  if (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
    return -errno;
  if (propagation != 0 && mount(NULL, "/", NULL, propagation, NULL) < 0)
    return -errno;
  /* The root is reached by its name from now on, and no directory stays open for the program to be found in. */
  child->root = child->directory_cover = child->file_cover = -1;
  return checked(syscall(SYS_close_range, CHILD_FIRST_FREE, ~0U, 0));
}

static int do_terminal(const struct child *child, const struct op *op) {
  const struct field *f = op->field;
  struct stat info;
  struct statfs system;
  cleanup_close int root = child->root >= 0 ? fcntl(child->root, F_DUPFD_CLOEXEC, 0) : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  cleanup_close int master = open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0);
  if (master < 0)
    return master;
  /* Not whatever the image keeps under this name (an exec finds a file system that the container has had time to change). */
  if (fstat(master, &info) < 0 || fstatfs(master, &system) < 0)
    return -errno;
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(5, 2) || system.f_type != DEVPTS_MAGIC)
    return -ENOTTY;
  int unlock = 0;
  struct winsize window = {.ws_row = (unsigned short) f[F_TERMINAL_HEIGHT].number, .ws_col = (unsigned short) f[F_TERMINAL_WIDTH].number};
  if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || (window.ws_row > 0 && ioctl(master, TIOCSWINSZ, &window) < 0))
    return -errno;
  cleanup_close int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0)
    return -errno;
  if (f[F_TERMINAL_CONSOLE].number != 0) {
    cleanup_close int target = target_in_root(root, "/dev/console", 'f', RESOLVE_NO_SYMLINKS);
    cleanup_close int copy = clone_tree(slave, "", AT_EMPTY_PATH);
    int bound = target < 0 ? target : copy < 0 ? copy : attach(copy, target);
    if (bound < 0)
      return bound;
  }
  for (int fd = 0; fd <= STDERR_FILENO; fd++)
    if (dup2(slave, fd) < 0)
      return -errno;
  if (!child->joined && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
    return -errno;
  return child_send(&(struct child_message){.type = CHILD_TERMINAL}, master);
}

int mount_operation(struct child *child, const struct op *op) {
  switch (op->code) {
  case OP_MOUNT_HOST: return do_mount_host(op);
  case OP_PRIVATE_PARENT: return do_private_parent(op);
  case OP_ENTER_ROOT: return do_enter_root(child, op);
  case OP_MOUNT: return do_mount(child, op);
  case OP_BIND: return do_bind(child, op);
  case OP_MKDIR: return do_mkdir(child, op);
  case OP_SYMLINK: return do_symlink(child, op);
  case OP_MKNOD: return do_mknod(child, op);
  case OP_MASK: return do_mask(child, op);
  case OP_READONLY: return do_readonly(child, op);
  case OP_READONLY_ROOT: return set_attributes(child->root, MOUNT_ATTR_RDONLY, 0, 0, false);
  case OP_PIVOT: return do_pivot(child, op);
  case OP_TERMINAL: return do_terminal(child, op);
  default: return NOT_MINE;
  }
}
