/* The container's streams: process to log and clients, clients to process; all descriptors are non-blocking. And the record of its exit. */
#include "monitor.h"

#define CHUNK 262144u
/* What a pipe holds unless it is told otherwise (pipe(7)). */
#define USUAL_PIPE 65536
#define INPUT 16384u

static struct {
  _Alignas(4096) unsigned char output[4096 + CHUNK]; /* the log's tail goes in front of what is read */
  _Alignas(4096) unsigned char input[INPUT];
} buffers;

void monitor_read_output(struct monitor *monitor, int stream) {
  unsigned char *data = buffers.output + 4096;
  ssize_t n = read(monitor->output[stream], data, CHUNK);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) { /* EIO: the last holder of the terminal's other side is gone. */
    if (monitor->output[stream] == monitor->input)
      monitor->input = -1;
    close(monitor->output[stream]);
    monitor->output[stream] = -1;
    log_end(stream);
    return;
  }
  /* Whoever fills the pipe gets a larger one: each switch between the two of us then moves more. Where it is refused (a terminal) nothing is lost. */
  if (n == USUAL_PIPE)
    fcntl(monitor->output[stream], F_SETPIPE_SZ, (int) CHUNK);
  monitor->dirty = true;
  clients_feed(&monitor->clients, stream, data, (size_t) n);
  log_feed(stream, data, (size_t) n);
}

void monitor_close_input(struct monitor *monitor) {
  /* A terminal's master is also its output: it stays. */
  if (monitor->input >= 0 && !(monitor->stdio & STDIO_TTY)) {
    close(monitor->input);
    monitor->input = -1;
  }
  monitor->input_start = monitor->input_end = 0;
}

void monitor_write_input(struct monitor *monitor) {
  while (monitor->input >= 0 && monitor->input_start < monitor->input_end) {
    ssize_t n = write(monitor->input, buffers.input + monitor->input_start, monitor->input_end - monitor->input_start);
    if (n < 0 && errno == EAGAIN)
      return;
    if (n < 0 && errno != EINTR) { /* EPIPE: the process has closed its stdin. */
      monitor_close_input(monitor);
      return;
    }
    if (n > 0)
      monitor->input_start += (size_t) n;
  }
  monitor->input_start = monitor->input_end = 0;
  if (monitor->input_closing)
    monitor_close_input(monitor);
}

/* A client's first bytes say what it is. */
static void read_request(struct monitor *monitor, struct client *client) {
  struct {
    struct frame frame;
    struct msg_attach attach;
  } request;
  ssize_t n = recv(client->fd, &request, sizeof(request), MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN)
    return;
  client->streams = 0;
  if (n < (ssize_t) sizeof(request.frame) || request.frame.version != PROTOCOL_VERSION) {
    client->input_ended = true;
    shutdown(client->fd, SHUT_RDWR);
  } else if (request.frame.type == MSG_ADOPT && n == sizeof(request.frame)) {
    /* The daemon that asks last is the one that lives. */
    if (monitor->control >= 0)
      close(monitor->control);
    monitor->control = client->fd;
    client->fd = -1;
  } else if (request.frame.type == MSG_ATTACH && n == sizeof(request)) {
    client->streams = request.attach.streams | CLIENT_READY;
    send_message(client->fd, MSG_ATTACHED, NULL, 0);
  }
}

void monitor_read_client(struct monitor *monitor, unsigned index) {
  struct client *client = &monitor->clients.list[index];
  if (client->streams == 0) {
    read_request(monitor, client);
    return;
  }
  /* Two clients may be readable in one round, and the first has filled the buffer. */
  if (monitor->input_start < monitor->input_end)
    return;
  /* Read also where stdin is not wanted: to see it go. */
  bool wanted = client->streams & ATTACH_STDIN && monitor->input >= 0;
  ssize_t n = recv(client->fd, buffers.input, sizeof(buffers.input), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    client->input_ended = true;
    if (client->streams & ATTACH_STDIN && monitor->stdio & STDIO_STDIN_ONCE) {
      monitor->input_closing = true;
      monitor_write_input(monitor);
    }
    return;
  }
  monitor->dirty = true;
  if (!wanted)
    return;
  monitor->input_start = 0;
  monitor->input_end = (size_t) n;
  monitor_write_input(monitor);
}

void monitor_trim(struct monitor *monitor) {
  madvise(buffers.output, sizeof(buffers.output), MADV_DONTNEED);
  if (monitor->input_start == monitor->input_end)
    madvise(buffers.input, sizeof(buffers.input), MADV_DONTNEED);
  log_trim();
  monitor->dirty = false;
}

/* Readers see the whole record or none. JSON, as nobody but the daemon reads it. An exec has none: a daemon forgets it with its own end. */
void monitor_write_record(const struct monitor *monitor) {
  const char *temporary = EXIT_RECORD ".new";
  char text[256];
  const struct msg_exited *exit = &monitor->exit;
  int length = snprintf(text, sizeof(text), "{\"exitCode\":%u,\"signal\":%u,\"oomKilled\":%s,\"finishedAt\":\"%llu\",\"startedAt\":\"%llu\"}\n",
                        exit->exit_code, exit->signal, exit->oom_killed ? "true" : "false", (unsigned long long) exit->finished_at,
                        (unsigned long long) monitor->started_at);
  cleanup_close int fd = openat(monitor->directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd >= 0 && write_full(fd, text, (size_t) length) == 0)
    renameat(monitor->directory, temporary, monitor->directory, EXIT_RECORD);
}
