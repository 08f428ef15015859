/* Made by tools/gen-protocol.ts from src/runtime/protocol.ts, where everything is explained. Do not edit. */
#ifndef GANTRY_PROTOCOL_H
#define GANTRY_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_VERSION 3
#define MAX_FRAME 4194304u
#define MONITOR_SOCKET "monitor.sock"
#define EXIT_RECORD "exit.json"
#define OP_MAX_FIELDS 8

struct frame {
  uint32_t length;
  uint16_t type;
  uint16_t version;
};

enum message_type {
  MSG_HELLO = 1,
  MSG_LAUNCH = 2,
  MSG_START = 3,
  MSG_KILL = 4,
  MSG_RESIZE = 5,
  MSG_ATTACH = 6,
  MSG_ADOPT = 7,
  MSG_CREATED = 16,
  MSG_STARTED = 17,
  MSG_FAILED = 18,
  MSG_RESULT = 19,
  MSG_EXITED = 20,
  MSG_ATTACHED = 21,
  MSG_STATE = 22,
};

struct msg_hello {
  uint32_t pid;
};

struct msg_kill {
  uint32_t signal;
};

struct msg_resize {
  uint32_t height;
  uint32_t width;
};

struct msg_attach {
  uint32_t streams;
};

struct msg_created {
  uint32_t pid;
  uint32_t warnings;
};

struct msg_started {
  uint64_t started_at;
  uint32_t pid;
  uint32_t reserved;
};

struct msg_failed {
  uint32_t operation;
  uint32_t error;
};

struct msg_result {
  uint32_t error;
};

struct msg_exited {
  uint64_t finished_at;
  uint32_t exit_code;
  uint32_t signal;
  uint32_t oom_killed;
  uint32_t reserved;
};

struct msg_state {
  uint64_t started_at;
  uint32_t pid;
  uint32_t phase;
};

enum {
  PHASE_PREPARING = 0,
  PHASE_CREATED = 1,
  PHASE_STARTING = 2,
  PHASE_RUNNING = 3,
  PHASE_EXITED = 4,
};

enum {
  ATTACH_STDIN = 1,
  ATTACH_STDOUT = 2,
  ATTACH_STDERR = 4,
};

enum {
  WARN_RLIMIT_CLAMPED = 1,
  WARN_OOM_SCORE_REFUSED = 2,
};

enum {
  OP_FLAG_OPTIONAL = 1,
};

enum {
  STDIO_TTY = 1,
  STDIO_OPEN_STDIN = 2,
  STDIO_STDIN_ONCE = 4,
};

enum {
  HOW_RECURSIVE = 1,
  HOW_RECURSIVE_ATTRIBUTES = 2,
  HOW_NO_SYMLINKS = 4,
  HOW_KEEP_MODE = 8,
};

enum {
  EXECVE_INIT = 1,
};

enum stage {
  STAGE_KEEP,
  STAGE_PREPARE,
  STAGE_HOST,
  STAGE_CHILD,
};

enum op_code {
  OP_STATE = 1,
  OP_STDIO = 2,
  OP_LOG = 3,
  OP_OOM_FILE = 4,
  OP_KILL_REMAINING = 5,
  OP_REMOVE_CGROUP = 6,
  OP_MAKE_CGROUP = 16,
  OP_WRITE_CGROUP = 17,
  OP_BIND_PORT = 18,
  OP_NAMESPACES = 19,
  OP_PID_NAMESPACE = 20,
  OP_TARGET = 21,
  OP_INTO_CGROUP = 22,
  OP_NETLINK_HOST = 32,
  OP_WRITE = 48,
  OP_UNSHARE = 49,
  OP_JOIN_NAMESPACE = 50,
  OP_JOIN_TARGET = 51,
  OP_MOUNT_HOST = 52,
  OP_PRIVATE_PARENT = 53,
  OP_ENTER_ROOT = 56,
  OP_MOUNT = 57,
  OP_BIND = 58,
  OP_MKDIR = 59,
  OP_SYMLINK = 60,
  OP_MKNOD = 61,
  OP_MASK = 62,
  OP_READONLY = 63,
  OP_READONLY_ROOT = 64,
  OP_PIVOT = 65,
  OP_WAIT_HOST = 69,
  OP_NETLINK = 70,
  OP_TERMINAL = 71,
  OP_RLIMIT = 72,
  OP_FORK = 73,
  OP_KEYRING = 74,
  OP_WAIT_START = 75,
  OP_NO_NEW_PRIVILEGES = 76,
  OP_SECCOMP = 77,
  OP_BOUNDING = 78,
  OP_CHDIR = 79,
  OP_USER = 80,
  OP_CAPABILITIES = 81,
  OP_EXECVE = 82,
  OP_HOLD = 83,
};

/* Places of the fields in struct op. */
enum {
  F_STATE_DIRECTORY = 0,
  F_STATE_TITLE = 1,
  F_STDIO_FLAGS = 0,
  F_LOG_PATH = 0,
  F_LOG_MAX_SIZE = 1,
  F_LOG_MAX_FILE = 2,
  F_LOG_EXTRA = 3,
  F_OOM_FILE_PATH = 0,
  F_KILL_REMAINING_PATH = 0,
  F_REMOVE_CGROUP_PATH = 0,
  F_MAKE_CGROUP_PATH = 0,
  F_WRITE_CGROUP_PATH = 0,
  F_WRITE_CGROUP_VALUE = 1,
  F_BIND_PORT_TYPE = 0,
  F_BIND_PORT_PROTOCOL = 1,
  F_BIND_PORT_ADDRESS = 2,
  F_NAMESPACES_FLAGS = 0,
  F_PID_NAMESPACE_PATH = 0,
  F_TARGET_PID = 0,
  F_INTO_CGROUP_PATH = 0,
  F_NETLINK_HOST_BYTES = 0,
  F_NETLINK_HOST_PID_OFFSETS = 1,
  F_WRITE_PATH = 0,
  F_WRITE_VALUE = 1,
  F_WRITE_REFUSED = 2,
  F_UNSHARE_FLAGS = 0,
  F_JOIN_NAMESPACE_PATH = 0,
  F_JOIN_NAMESPACE_TYPE = 1,
  F_JOIN_TARGET_FLAGS = 0,
  F_MOUNT_HOST_CWD = 0,
  F_MOUNT_HOST_SOURCE = 1,
  F_MOUNT_HOST_TARGET = 2,
  F_MOUNT_HOST_TYPE = 3,
  F_MOUNT_HOST_FLAGS = 4,
  F_MOUNT_HOST_DATA = 5,
  F_PRIVATE_PARENT_PATH = 0,
  F_ENTER_ROOT_PATH = 0,
  F_MOUNT_TYPE = 0,
  F_MOUNT_SOURCE = 1,
  F_MOUNT_TARGET = 2,
  F_MOUNT_FLAGS = 3,
  F_MOUNT_DATA = 4,
  F_MOUNT_PROPAGATION = 5,
  F_MOUNT_HOW = 6,
  F_BIND_SOURCE = 0,
  F_BIND_SUBPATH = 1,
  F_BIND_TARGET = 2,
  F_BIND_SET = 3,
  F_BIND_CLEAR = 4,
  F_BIND_PROPAGATION = 5,
  F_BIND_HOW = 6,
  F_BIND_IDMAP = 7,
  F_MKDIR_PATH = 0,
  F_MKDIR_MODE = 1,
  F_SYMLINK_TARGET = 0,
  F_SYMLINK_PATH = 1,
  F_MKNOD_PATH = 0,
  F_MKNOD_MODE = 1,
  F_MKNOD_MAJOR = 2,
  F_MKNOD_MINOR = 3,
  F_MKNOD_UID = 4,
  F_MKNOD_GID = 5,
  F_MASK_PATH = 0,
  F_READONLY_PATH = 0,
  F_PIVOT_PROPAGATION = 0,
  F_NETLINK_BYTES = 0,
  F_TERMINAL_HEIGHT = 0,
  F_TERMINAL_WIDTH = 1,
  F_TERMINAL_CONSOLE = 2,
  F_RLIMIT_RESOURCE = 0,
  F_RLIMIT_SOFT = 1,
  F_RLIMIT_HARD = 2,
  F_KEYRING_NAME = 0,
  F_SECCOMP_FLAGS = 0,
  F_SECCOMP_FILTER = 1,
  F_BOUNDING_MASK = 0,
  F_CHDIR_PATH = 0,
  F_USER_UID = 0,
  F_USER_GID = 1,
  F_USER_UMASK = 2,
  F_USER_GROUPS = 3,
  F_CAPABILITIES_EFFECTIVE = 0,
  F_CAPABILITIES_PERMITTED = 1,
  F_CAPABILITIES_INHERITABLE = 2,
  F_CAPABILITIES_AMBIENT = 3,
  F_EXECVE_FLAGS = 0,
  F_EXECVE_ARGUMENTS = 1,
  F_EXECVE_ENVIRONMENT = 2,
};

/* Field types by letter: u u32, i i32, U u64, s string, l list of strings, b bytes. */
struct op_shape {
  const char *fields;
  enum stage stage;
};
#define OP_SHAPES \
  { \
    [OP_STATE] = {"ss", STAGE_KEEP}, \
    [OP_STDIO] = {"u", STAGE_KEEP}, \
    [OP_LOG] = {"sUus", STAGE_KEEP}, \
    [OP_OOM_FILE] = {"s", STAGE_KEEP}, \
    [OP_KILL_REMAINING] = {"s", STAGE_KEEP}, \
    [OP_REMOVE_CGROUP] = {"s", STAGE_KEEP}, \
    [OP_MAKE_CGROUP] = {"s", STAGE_PREPARE}, \
    [OP_WRITE_CGROUP] = {"ss", STAGE_PREPARE}, \
    [OP_BIND_PORT] = {"uub", STAGE_PREPARE}, \
    [OP_NAMESPACES] = {"u", STAGE_PREPARE}, \
    [OP_PID_NAMESPACE] = {"s", STAGE_PREPARE}, \
    [OP_TARGET] = {"u", STAGE_PREPARE}, \
    [OP_INTO_CGROUP] = {"s", STAGE_PREPARE}, \
    [OP_NETLINK_HOST] = {"bb", STAGE_HOST}, \
    [OP_WRITE] = {"ssu", STAGE_CHILD}, \
    [OP_UNSHARE] = {"u", STAGE_CHILD}, \
    [OP_JOIN_NAMESPACE] = {"su", STAGE_CHILD}, \
    [OP_JOIN_TARGET] = {"u", STAGE_CHILD}, \
    [OP_MOUNT_HOST] = {"ssssus", STAGE_CHILD}, \
    [OP_PRIVATE_PARENT] = {"s", STAGE_CHILD}, \
    [OP_ENTER_ROOT] = {"s", STAGE_CHILD}, \
    [OP_MOUNT] = {"sssusuu", STAGE_CHILD}, \
    [OP_BIND] = {"sssuuuus", STAGE_CHILD}, \
    [OP_MKDIR] = {"su", STAGE_CHILD}, \
    [OP_SYMLINK] = {"ss", STAGE_CHILD}, \
    [OP_MKNOD] = {"suuuuu", STAGE_CHILD}, \
    [OP_MASK] = {"s", STAGE_CHILD}, \
    [OP_READONLY] = {"s", STAGE_CHILD}, \
    [OP_READONLY_ROOT] = {"", STAGE_CHILD}, \
    [OP_PIVOT] = {"u", STAGE_CHILD}, \
    [OP_WAIT_HOST] = {"", STAGE_CHILD}, \
    [OP_NETLINK] = {"b", STAGE_CHILD}, \
    [OP_TERMINAL] = {"uuu", STAGE_CHILD}, \
    [OP_RLIMIT] = {"uUU", STAGE_CHILD}, \
    [OP_FORK] = {"", STAGE_CHILD}, \
    [OP_KEYRING] = {"s", STAGE_CHILD}, \
    [OP_WAIT_START] = {"", STAGE_CHILD}, \
    [OP_NO_NEW_PRIVILEGES] = {"", STAGE_CHILD}, \
    [OP_SECCOMP] = {"ub", STAGE_CHILD}, \
    [OP_BOUNDING] = {"U", STAGE_CHILD}, \
    [OP_CHDIR] = {"s", STAGE_CHILD}, \
    [OP_USER] = {"uuub", STAGE_CHILD}, \
    [OP_CAPABILITIES] = {"UUUU", STAGE_CHILD}, \
    [OP_EXECVE] = {"ull", STAGE_CHILD}, \
    [OP_HOLD] = {"", STAGE_CHILD}, \
  }

#endif
