/*
 * gantry-init: launcher, monitor and the stretch between clone and execve. docs/adr/0003 says why this is C and nothing else is.
 *
 * Error convention: an int result below 0 is a negative errno, otherwise it is success (a descriptor, a count or 0). Nothing prints;
 * what failed is told to the daemon as the index of the plan's operation and the errno.
 * Resources: locals are released by the cleanup_ attributes below, what outlives a function belongs to struct monitor or struct child.
 * No malloc (but stdio's, when a container has ended): buffers are static and given back to the kernel when idle, so that an idle monitor costs
 * a few pages.
 */
#ifndef GANTRY_H
#define GANTRY_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol.h"

#define cleanup_close __attribute__((cleanup(cleanup_close_fd)))

static inline void cleanup_close_fd(const int *fd)
{
  if (*fd >= 0)
    close(*fd);
}

/* ---- util.c ---- */

/* -1 with errno to the convention. */
static inline int checked(long result)
{
  return result < 0 ? -errno : (int) result;
}

int read_full(int fd, void *buffer, size_t size);
int write_full(int fd, const void *buffer, size_t size);
/* Opens, writes in one call, closes. */
int write_file(const char *path, const char *value);
/* A frame; `payload` may be NULL when size is 0. */
int send_message(int fd, enum message_type type, const void *payload, size_t size);
int pidfd_kill(int pidfd, int signal);
/* Sends one rtnetlink batch and reads an acknowledgement for each message that asks for one. */
int netlink_send(int sock, const void *bytes, size_t size);
int netlink_open(void);
/* Process name and command line of this stage. */
void set_title(const char *name, const char *detail);
void title_init(char **argv, char **envp);
uint64_t now_ns(int clock);
/* A listening socket `name` in `directory`, an O_PATH descriptor; replaces what is there. */
int listen_in(int directory, const char *name);
/* Whether the peer of a connection runs as our own user. */
bool peer_trusted(int connection);

/* ---- plan.c ---- */

struct field {
  const char *bytes; /* string, list, bytes */
  uint32_t length;   /* a string's without its NUL */
  uint64_t number;
};

struct op {
  uint16_t code;
  uint16_t flags;
  uint32_t index;
  struct field field[OP_MAX_FIELDS];
};

struct cursor {
  const unsigned char *at;
  const unsigned char *end;
  uint32_t index;
};

/* The next operation: 1, or 0 at the end, or -EBADMSG with op->index telling which one is malformed. */
int plan_next(struct cursor *cursor, struct op *op);
/* Checks the whole plan before anything of it is done; *failed is the index of the bad operation. */
int plan_validate(const unsigned char *plan, size_t size, uint32_t *failed);
enum stage op_stage(const struct op *op);
/* Bytes of the leading STAGE_KEEP part. */
size_t plan_kept(const unsigned char *plan, size_t size);
/* List field to a NULL-terminated vector of at most capacity - 1 entries; -E2BIG. */
int field_vector(const struct field *field, char **vector, size_t capacity);

/* ---- child.c: the process that becomes the container ---- */

enum child_message_type { CHILD_READY, CHILD_TERMINAL, CHILD_FAILED, CHILD_FORKED };

/* On the socket between monitor and child, one packet each; CHILD_TERMINAL carries the master's descriptor. */
struct child_message {
  uint32_t type;
  uint32_t value; /* READY: warnings. FAILED: operation index. FORKED: pid. */
  uint32_t error;
};

enum { GO_HOST_DONE = 'n', GO_START = 'g' };

/* Descriptors the child starts with, whatever the monitor has: nothing else survives. */
enum { CHILD_SYNC = 3, CHILD_TARGET = 4, CHILD_FIRST_FREE = 5 };

struct child {
  const unsigned char *plan;
  size_t size;
  int root; /* O_PATH of the container's root while it is being built */
  int directory_cover, file_cover; /* the first mount of its kind over a masked path */
  uint32_t warnings;
  bool joined; /* An exec: what is made for the program is for the process that OP_FORK makes. */
};

__attribute__((noreturn)) void child_main(const unsigned char *plan, size_t size, const int stdio[3], int sync, int target);
int child_wait(char expected);
int child_send(const struct child_message *message, int fd);

/* ---- child-mount.c, child-process.c: the operations ---- */

/* Not an errno: the operation belongs to the other file. */
#define NOT_MINE (-10000)

int mount_operation(struct child *child, const struct op *op);
int process_operation(struct child *child, const struct op *op);
/* openat2 inside the root; `resolve` adds RESOLVE_ flags. */
int open_in_root(int root, const char *path, int flags, unsigned resolve);
/* O_PATH of path inside the root, made with its parents if absent: 'd'irectory or 'f'ile. */
int target_in_root(int root, const char *path, char kind, unsigned resolve);

/* ---- init.c ---- */

/* PID 1 of a container started with --init: forks and returns in the child; the parent never returns. */
int init_fork(void);

/* ---- log.c ---- */

struct log;

int log_open(const char *path, uint64_t max_size, uint32_t max_file, const char *extra, size_t extra_length);
/* Bytes of `stream` (0 stdout, 1 stderr); LOG_TAIL bytes before `data` may be overwritten. */
void log_feed(int stream, unsigned char *data, size_t size);
/* The stream ended: an unfinished line is written without its newline. */
void log_end(int stream);
/* Gives back the memory that holds nothing. */
void log_trim(void);
void log_close(void);

#define LOG_TAIL 4

/* ---- attach.c: clients of the monitor's socket ---- */

#define MAX_CLIENTS 64
/* In client.streams beside the ATTACH_ bits: the request has come. */
#define CLIENT_READY 0x80000000u

struct client {
  int fd;
  uint32_t streams; /* 0 until the request has come */
  bool input_ended;
  unsigned char *pending; /* mapped; what the client has not taken yet */
  size_t start, end, capacity;
};

struct clients {
  struct client list[MAX_CLIENTS];
  unsigned count;
  bool framed;
};

/* False when there is no room; `fd` is the caller's then. */
bool client_add(struct clients *clients, int fd);
void client_drop(struct clients *clients, unsigned index);
/* Output for everybody who asked for it. */
void clients_feed(struct clients *clients, int stream, const unsigned char *data, size_t size);
/* Whether somebody's room for this stream holds more than `allowed` bytes, taken already or not: reading on would need more memory. */
bool clients_blocked(const struct clients *clients, int stream, size_t allowed);
void client_flush(struct clients *clients, unsigned index);

/* ---- monitor.c, launcher.c ---- */

__attribute__((noreturn)) void monitor_main(int connection);
int launcher_main(const char *socket_path);

/* ---- inside.c ---- */

int inside_main(pid_t target, char **arguments);

#endif
