/* What the monitor knows; one per process. */
#ifndef GANTRY_MONITOR_H
#define GANTRY_MONITOR_H

#include "gantry.h"

struct monitor {
  const unsigned char *plan; /* mapped; only its `kept` bytes are left after the start */
  size_t size, kept;
  uint32_t phase; /* PHASE_ */
  int control;   /* the daemon; -1 while there is none */
  int directory; /* O_PATH of the state directory */
  int children;  /* signalfd of SIGCHLD */
  int listener, sync, pidfd, target, into, netlink;
  int mount_namespace; /* keeps the container's mounts alive until the exit is reported */
  int output[2];       /* read ends; with a terminal output[0] is its master */
  int input;           /* write end, or the master */
  int slave;           /* ours of the terminal, so that a program may close and reopen its own without the terminal hanging up */
  int child_stdio[3];
  uint32_t stdio;
  uint64_t clone_flags;
  bool exec; /* Not a container, but a further process of one. */
  bool start_wanted;
  pid_t pid;
  pid_t joiner; /* Of an exec, until reaped: joins the target's namespaces and forks what `pid` is then. Else 0. */
  uint32_t warnings;
  uint64_t started_at;
  uint64_t drain_deadline; /* monotonic; output is waited for no longer after the exit */
  struct msg_exited exit;
  struct clients clients;
  size_t input_start, input_end; /* what of input_bytes the process has not taken yet */
  bool input_closing;            /* close it when all is written */
  bool dirty;                    /* buffers hold pages that log_trim can give back */
};

/* monitor-launch.c: up to and including clone. 0, or -errno with *failed the operation's index. */
int monitor_launch(struct monitor *monitor, uint32_t *failed);
/* After the exit or a failed launch: processes and control groups. */
void monitor_kill_remaining(struct monitor *monitor);
void monitor_remove_cgroups(struct monitor *monitor);
void monitor_release_ports(void);
bool monitor_oom_killed(struct monitor *monitor);

/* monitor-io.c */
void monitor_read_output(struct monitor *monitor, int stream);
void monitor_write_input(struct monitor *monitor);
void monitor_read_client(struct monitor *monitor, unsigned index);
void monitor_close_input(struct monitor *monitor);
void monitor_trim(struct monitor *monitor);
void monitor_write_record(const struct monitor *monitor);

#endif
