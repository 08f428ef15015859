/*
 * The monitor of one container or exec. Born by a fork of the launcher, it prepares the launch, then waits: for output, for clients, for
 * the daemon's messages, for the end. It needs the daemon for nothing after `start`. At the end it leaves the exit record, reports, and
 * only then pays for taking things down: see finish().
 */
#include "monitor.h"

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <termios.h>

/* How long output is waited for when something that outlives the process holds its pipes (an exec's background child); containerd: 2 s. */
#define DRAIN_NS 2000000000u
#define TRIM_AFTER_MS 200
/* Two pipes at their largest (fs.pipe-max-size), twice over. */
#define PENDING_AT_END (4u << 20)
/* A daemon that has connected sends its request at once. */
#define REQUEST_TIMEOUT_S 10

static void report(struct monitor *monitor, enum message_type type, const void *payload, size_t size) {
  if (monitor->control >= 0 && send_message(monitor->control, type, payload, size) < 0) {
    close(monitor->control);
    monitor->control = -1;
  }
}

/* Ends a launch that did not become a container, and this process: everything undone before the daemon sees the end of file. */
__attribute__((noreturn)) static void give_up(struct monitor *monitor, uint32_t operation, int error) {
  if (monitor->pidfd >= 0) {
    pidfd_kill(monitor->pidfd, SIGKILL);
    waitid(P_PIDFD, (id_t) monitor->pidfd, &(siginfo_t){0}, WEXITED);
  }
  /* What failed is the answer to `start`: the daemon would not read it any more once its request has found us gone. */
  struct frame start;
  if (monitor->exec && monitor->pid > 0 && !monitor->start_wanted && monitor->control >= 0)
    recv(monitor->control, &start, sizeof(start), MSG_WAITALL);
  if (error != 0)
    report(monitor, MSG_FAILED, &(struct msg_failed){operation, (uint32_t) error}, sizeof(struct msg_failed));
  monitor_kill_remaining(monitor);
  monitor_remove_cgroups(monitor);
  if (monitor->directory >= 0)
    unlinkat(monitor->directory, MONITOR_SOCKET, 0);
  _exit(1);
}

static int receive_child(struct monitor *monitor, struct child_message *message) {
  struct iovec part = {message, sizeof(*message)};
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control = {0};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
  ssize_t n = recvmsg(monitor->sync, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  const struct cmsghdr *rights = n > 0 ? CMSG_FIRSTHDR(&header) : NULL;
  int master = -1;
  if (rights != NULL && rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(sizeof(int)))
    memcpy(&master, CMSG_DATA(rights), sizeof(int));
  if (master >= 0 && (monitor->phase != PHASE_PREPARING || monitor->output[0] >= 0))
    close(master); /* It does not come from the child, which sends one, but from somebody who has got hold of its socket. */
  else if (master >= 0) {
    monitor->output[0] = master;
    fcntl(monitor->output[0], F_SETFL, O_RDWR | O_NONBLOCK);
    monitor->slave = ioctl(monitor->output[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (monitor->stdio & STDIO_OPEN_STDIN)
      monitor->input = monitor->output[0];
  }
  return n < 0 ? -errno : (int) n;
}

/* The plan is done: keep the pages that hold what the end needs. */
static void forget_plan(struct monitor *monitor) {
  size_t kept = (monitor->kept + 4095) & ~(size_t) 4095, whole = (monitor->size + 4095) & ~(size_t) 4095;
  if (kept < whole)
    munmap((char *) (uintptr_t) monitor->plan + kept, whole - kept);
}

/*
 * The process that joined the target's namespaces has made the one that stays, our child by CLONE_PARENT, and ends. Only a child's pid is
 * believed: who may trace in the container can speak on that socket, and would have us kill a process of the host.
 */
static void follow(struct monitor *monitor, pid_t pid) {
  if (monitor->pid != monitor->joiner || waitid(P_PID, (id_t) pid, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) < 0)
    return;
  int pidfd = checked(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0)
    give_up(monitor, 0, -pidfd);
  close(monitor->pidfd);
  monitor->pidfd = pidfd;
  monitor->pid = pid;
}

static void report_created(struct monitor *monitor, uint32_t warnings) {
  report(monitor, MSG_CREATED, &(struct msg_created){(uint32_t) monitor->pid, warnings}, sizeof(struct msg_created));
}

/* What comes before the process is ready for it is kept until then. */
static void start(struct monitor *monitor) {
  monitor->start_wanted = true;
  if (monitor->phase == PHASE_CREATED && write(monitor->sync, &(char){GO_START}, 1) == 1)
    monitor->phase = PHASE_STARTING;
}

static void on_sync(struct monitor *monitor) {
  struct child_message message;
  int n = 1;
  /* All that is there, at most the four that a child has to say: it is to be known before anything else is looked at. */
  for (int i = 0; i < 4 && (n = receive_child(monitor, &message)) > 0; i++) {
    if (message.type == CHILD_FAILED)
      give_up(monitor, message.value, (int) message.error);
    if (message.type == CHILD_FORKED)
      follow(monitor, (pid_t) message.value);
    if (message.type == CHILD_READY && monitor->phase == PHASE_PREPARING) {
      monitor->phase = PHASE_CREATED;
      if (monitor->start_wanted)
        start(monitor);
      if (!monitor->exec)
        report_created(monitor, message.value);
    }
  }
  if (n != 0)
    return;
  /* End of file: execve has closed the child's end, or the child was killed. */
  if (monitor->phase < PHASE_STARTING)
    give_up(monitor, 0, EINTR);
  close(monitor->sync);
  monitor->sync = -1;
  if (monitor->phase == PHASE_EXITED)
    return;
  monitor->phase = PHASE_RUNNING;
  monitor->started_at = now_ns(CLOCK_REALTIME);
  forget_plan(monitor);
  monitor->dirty = true;
  struct msg_started started = {.started_at = monitor->started_at, .pid = (uint32_t) monitor->pid};
  report(monitor, MSG_STARTED, &started, sizeof(started));
}

static int resize(struct monitor *monitor, const struct msg_resize *size) {
  struct winsize window = {.ws_row = (unsigned short) size->height, .ws_col = (unsigned short) size->width};
  if (!(monitor->stdio & STDIO_TTY) || monitor->output[0] < 0)
    return -ENOTTY;
  return checked(ioctl(monitor->output[0], TIOCSWINSZ, &window));
}

static void on_control(struct monitor *monitor) {
  struct {
    struct frame frame;
    union {
      struct msg_kill kill;
      struct msg_resize resize;
    };
  } request;
  ssize_t n = recv(monitor->control, &request.frame, sizeof(request.frame), MSG_WAITALL);
  if (n < 0 && errno == EINTR)
    return;
  size_t length = n == sizeof(request.frame) ? request.frame.length : SIZE_MAX;
  if (length > sizeof(request.resize) || (length > 0 && recv(monitor->control, &request.kill, length, MSG_WAITALL) != (ssize_t) length)) {
    close(monitor->control);
    monitor->control = -1;
    /* Nobody will ever start it. */
    if (monitor->phase < PHASE_STARTING)
      give_up(monitor, 0, 0);
    return;
  }
  int result = -EPROTO;
  if (request.frame.type == MSG_START) {
    start(monitor);
    return;
  }
  if (request.frame.type == MSG_KILL && length == sizeof(request.kill))
    result = monitor->phase == PHASE_EXITED ? -ESRCH : pidfd_kill(monitor->pidfd, (int) request.kill.signal);
  else if (request.frame.type == MSG_RESIZE && length == sizeof(request.resize))
    result = resize(monitor, &request.resize);
  report(monitor, MSG_RESULT, &(struct msg_result){(uint32_t) -result}, sizeof(struct msg_result));
}

static void on_exit_of_process(struct monitor *monitor, int status) {
  if (monitor->phase < PHASE_STARTING)
    give_up(monitor, 0, EINTR);
  monitor->phase = PHASE_EXITED;
  monitor->exit.signal = WIFSIGNALED(status) ? (uint32_t) WTERMSIG(status) : 0;
  monitor->exit.exit_code = WIFSIGNALED(status) ? 128 + monitor->exit.signal : (uint32_t) WEXITSTATUS(status);
  monitor->exit.finished_at = now_ns(CLOCK_REALTIME);
  monitor->exit.oom_killed = monitor_oom_killed(monitor);
  monitor->drain_deadline = now_ns(CLOCK_MONOTONIC) + DRAIN_NS;
  if (monitor->slave >= 0)
    close(monitor->slave);
  monitor_kill_remaining(monitor);
}

/*
 * The process, and the orphans of a container without a pid namespace: as zombies they would fill its pids limit. What it said, its failure or
 * its execve, came before its end, though poll may have looked at that socket first: a short program must have started.
 */
static void on_children(struct monitor *monitor) {
  struct signalfd_siginfo drained;
  while (read(monitor->children, &drained, sizeof(drained)) > 0)
    ;
  int status;
  /* The joiner first: only with its end is known whom it has made, and that nobody but that one held the socket. */
  for (pid_t pid; (pid = waitpid(monitor->joiner > 0 ? monitor->joiner : -1, &status, WNOHANG)) > 0;) {
    if (monitor->sync >= 0)
      on_sync(monitor);
    if (pid == monitor->joiner)
      monitor->joiner = 0;
    if (pid == monitor->pid)
      on_exit_of_process(monitor, status);
  }
}

static void on_adopt(struct monitor *monitor) {
  struct msg_state state = {.started_at = monitor->started_at, .pid = (uint32_t) monitor->pid, .phase = monitor->phase};
  report(monitor, MSG_STATE, &state, sizeof(state));
}

static void on_client(struct monitor *monitor, unsigned index, short events) {
  struct clients *clients = &monitor->clients;
  struct client *client = &clients->list[index];
  if (events & POLLOUT)
    client_flush(clients, index);
  if (events & (POLLIN | POLLHUP | POLLERR) && !client->input_ended) {
    monitor_read_client(monitor, index);
    if (client->fd < 0)
      on_adopt(monitor);
  } else if (events & (POLLHUP | POLLERR))
    client->streams &= ~(uint32_t) (ATTACH_STDOUT | ATTACH_STDERR);
  bool listens = client->streams & (ATTACH_STDOUT | ATTACH_STDERR);
  if (client->fd < 0 || (client->input_ended && !listens))
    client_drop(clients, index);
}

static short client_events(const struct monitor *monitor, const struct client *client) {
  bool input_free = monitor->input_start == monitor->input_end;
  return (short) ((client->end > 0 ? POLLOUT : 0) | (!client->input_ended && input_free ? POLLIN : 0));
}

static void wait_once(struct monitor *monitor) {
  enum { CONTROL, LISTENER, SYNC, CHILDREN, OUTPUT, ERROR, INPUT, CLIENTS };
  struct pollfd polled[CLIENTS + MAX_CLIENTS] = {
    [CONTROL] = {monitor->control, POLLIN, 0},
    [LISTENER] = {monitor->listener, POLLIN, 0},
    [SYNC] = {monitor->sync, POLLIN, 0},
    [CHILDREN] = {monitor->children, POLLIN, 0},
    [INPUT] = {monitor->input_start < monitor->input_end ? monitor->input : -1, POLLOUT, 0},
  };
  /* After the end what the pipes hold is read whatever the clients do; not what somebody who outlives the process goes on to write. */
  size_t allowed = monitor->phase == PHASE_EXITED ? PENDING_AT_END : 0;
  for (int i = 0; i < 2; i++)
    polled[OUTPUT + i] = (struct pollfd){clients_blocked(&monitor->clients, i, allowed) ? -1 : monitor->output[i], POLLIN, 0};
  unsigned count = monitor->clients.count;
  for (unsigned i = 0; i < count; i++) {
    const struct client *client = &monitor->clients.list[i];
    bool stalled = client->end == 0 && !client->input_ended && monitor->input_start < monitor->input_end;
    /* Not even its hanging up is looked at while what it sent has not been taken: poll would return for it again and again. */
    polled[CLIENTS + i] = (struct pollfd){stalled ? -1 : client->fd, client_events(monitor, client), 0};
  }
  int timeout = monitor->phase == PHASE_EXITED ? 20 : monitor->dirty ? TRIM_AFTER_MS : -1;
  int ready = poll(polled, CLIENTS + count, timeout);
  if (ready == 0 && monitor->phase != PHASE_EXITED)
    monitor_trim(monitor);
  if (ready <= 0)
    return;
  /* Clients before the control connection: who attached before `start` misses nothing. From the back, as dropping moves the last one. */
  if (polled[SYNC].revents != 0)
    on_sync(monitor);
  for (unsigned i = count; i-- > 0;)
    if (polled[CLIENTS + i].revents != 0)
      on_client(monitor, i, polled[CLIENTS + i].revents);
  if (polled[INPUT].revents != 0)
    monitor_write_input(monitor);
  for (int i = 0; i < 2; i++)
    if (polled[OUTPUT + i].revents != 0 && monitor->output[i] >= 0)
      monitor_read_output(monitor, i);
  if (polled[LISTENER].revents != 0) {
    int fd = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC);
    /* Its request is there already when it sent that before `start`, which then finds it listening. */
    if (fd >= 0 && peer_trusted(fd) && client_add(&monitor->clients, fd))
      on_client(monitor, monitor->clients.count - 1, POLLIN);
    else if (fd >= 0)
      close(fd);
  }
  if (polled[CHILDREN].revents != 0)
    on_children(monitor);
  if (polled[CONTROL].revents != 0 && monitor->control == polled[CONTROL].fd)
    on_control(monitor);
}

/* Serves those who are behind until they have everything or leave. */
static void serve_remaining(struct monitor *monitor, bool wait) {
  struct clients *clients = &monitor->clients;
  do {
    struct pollfd polled[MAX_CLIENTS];
    for (unsigned i = clients->count; i-- > 0;)
      if (clients->list[i].end == 0)
        client_drop(clients, i);
    unsigned count = clients->count;
    for (unsigned i = 0; i < count; i++)
      polled[i] = (struct pollfd){clients->list[i].fd, POLLOUT, 0};
    if (count == 0 || poll(polled, count, wait ? -1 : 0) <= 0)
      continue;
    for (unsigned i = count; i-- > 0;)
      if (polled[i].revents != 0)
        client_flush(clients, i);
  } while (wait && clients->count > 0);
}

/*
 * The order matters. The record first: from here on the exit cannot be lost. Then the ports, for
 * who hears of the exit may start another container with them. The report next, while the mount namespace is still held
 * by our descriptor, so that the report does not wait for unmounting, which on overlay syncs the upper layer (p90 of 30 ms against 5).
 * Then the control groups; their removal ends the control connection, after which the same container may be started again. The mounts
 * last.
 */
__attribute__((noreturn)) static void finish(struct monitor *monitor) {
  log_close();
  if (!monitor->exec)
    monitor_write_record(monitor);
  monitor_release_ports();
  report(monitor, MSG_EXITED, &monitor->exit, sizeof(monitor->exit));
  serve_remaining(monitor, false);
  monitor_remove_cgroups(monitor);
  close(monitor->listener);
  unlinkat(monitor->directory, MONITOR_SOCKET, 0);
  if (monitor->control >= 0)
    close(monitor->control);
  if (monitor->mount_namespace >= 0)
    close(monitor->mount_namespace);
  serve_remaining(monitor, true);
  _exit(0);
}

static bool over(const struct monitor *monitor) {
  bool drained = monitor->output[0] < 0 && monitor->output[1] < 0;
  return monitor->phase == PHASE_EXITED && (drained || now_ns(CLOCK_MONOTONIC) >= monitor->drain_deadline);
}

static void end_output(struct monitor *monitor) {
  for (int i = 0; i < 2; i++)
    if (monitor->output[i] >= 0)
      log_end(i);
}

void monitor_main(int connection) {
  static struct monitor monitor = {.directory = -1, .children = -1, .listener = -1, .sync = -1, .pidfd = -1, .target = -1, .into = -1,
                                   .netlink = -1, .mount_namespace = -1, .output = {-1, -1}, .input = -1, .slave = -1,
                                   .child_stdio = {-1, -1, -1}};
  struct frame frame;
  sigset_t child_signal;
  uint32_t failed = 0;

  set_title("gantry-monitor", "");
  /* Every other descriptor is the launcher's: its socket, its lock, its signals. */
  if (dup3(connection, 3, O_CLOEXEC) < 0 && errno != EINVAL)
    _exit(1);
  syscall(SYS_close_range, 4, ~0U, 0);
  monitor.control = 3;
  /* Blocked by the launcher already. */
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  monitor.children = signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK);
  /* A container without a pid namespace leaves its orphans to us, not to the launcher, which would take them for a lost container. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);

  setsockopt(monitor.control, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = REQUEST_TIMEOUT_S}, sizeof(struct timeval));
  if (read_full(monitor.control, &frame, sizeof(frame)) < 0)
    _exit(1);
  if (frame.type != MSG_LAUNCH || frame.version != PROTOCOL_VERSION || frame.length > MAX_FRAME) {
    char payload[64]; /* Closing with bytes unread would reset the connection. */
    recv(monitor.control, payload, sizeof(payload), MSG_DONTWAIT);
    send_message(monitor.control, MSG_HELLO, &(struct msg_hello){(uint32_t) getppid()}, sizeof(struct msg_hello));
    _exit(0);
  }
  monitor.size = frame.length;
  unsigned char *plan = mmap(NULL, monitor.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (plan == MAP_FAILED || read_full(monitor.control, plan, monitor.size) < 0)
    _exit(1);
  monitor.plan = plan;

  int launched = monitor_launch(&monitor, &failed);
  if (launched < 0)
    give_up(&monitor, failed, -launched);
  /* An exec has a single client, who is to connect meanwhile. */
  if (monitor.exec)
    report_created(&monitor, 0);
  while (!over(&monitor))
    wait_once(&monitor);
  end_output(&monitor);
  finish(&monitor);
}
