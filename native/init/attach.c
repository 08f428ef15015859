/*
 * Clients that watch the output. Each has room for what one read of ours brought; while it has not taken that, the stream it watches
 * is not read, so the pressure reaches the container as with Docker. After the container's end the rest of the pipes must be read at
 * once, and the room grows by what they hold, to a limit: an exec's background child may write on.
 */
#include "gantry.h"

/* Room for the next chunk while the daemon takes the last; the kernel counts its own overhead in, so it doubles this. */
#define SEND_BUFFER (1 << 20)

bool client_add(struct clients *clients, int fd) {
  if (clients->count == MAX_CLIENTS)
    return false;
  /* Root may exceed net.core.wmem_max; where it may not, a chunk takes more rounds. */
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &(int){SEND_BUFFER}, sizeof(int));
  clients->list[clients->count++] = (struct client){.fd = fd};
  return true;
}

static void release(struct client *client) {
  if (client->pending != NULL)
    munmap(client->pending, client->capacity);
  client->pending = NULL;
  client->start = client->end = client->capacity = 0;
}

void client_drop(struct clients *clients, unsigned index) {
  int fd = clients->list[index].fd;
  char ignored[4096];
  release(&clients->list[index]);
  /* Closing with input unread would show the client a reset in place of the end of the output. */
  if (fd >= 0) {
    shutdown(fd, SHUT_WR);
    while (recv(fd, ignored, sizeof(ignored), MSG_DONTWAIT) > 0)
      ;
    close(fd);
  }
  clients->list[index] = clients->list[--clients->count];
}

/* Whether it could be kept. */
static bool keep(struct client *client, const void *data, size_t size) {
  if (client->capacity - client->end < size) {
    size_t wanted = (client->end + size + 0xffff) & ~(size_t) 0xffff;
    void *grown = client->pending == NULL
                    ? mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                    : mremap(client->pending, client->capacity, wanted, MREMAP_MAYMOVE);
    if (grown == MAP_FAILED)
      return false;
    client->pending = grown;
    client->capacity = wanted;
  }
  memcpy(client->pending + client->end, data, size);
  client->end += size;
  return true;
}

/* Docker's frame: stream number, three zeros, big-endian length. A terminal's bytes go raw. */
static void offer(struct clients *clients, unsigned index, int stream, const unsigned char *data, size_t size) {
  struct client *client = &clients->list[index];
  unsigned char header[8] = {(unsigned char) (stream + 1), 0, 0, 0,
                             (unsigned char) (size >> 24), (unsigned char) (size >> 16), (unsigned char) (size >> 8), (unsigned char) size};
  size_t head = clients->framed ? sizeof(header) : 0;
  size_t sent = 0;
  if (client->end == 0) {
    struct iovec parts[2] = {{header, head}, {(void *) (uintptr_t) data, size}};
    struct msghdr message = {.msg_iov = head > 0 ? parts : parts + 1, .msg_iovlen = head > 0 ? 2 : 1};
    ssize_t n = sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      client->streams &= ~(uint32_t) (ATTACH_STDOUT | ATTACH_STDERR);
      return;
    }
    sent = n > 0 ? (size_t) n : 0;
  }
  bool kept = true;
  if (sent < head)
    kept = keep(client, header + sent, head - sent);
  size_t body = sent > head ? sent - head : 0;
  if (kept && body < size)
    kept = keep(client, data + body, size - body);
  if (!kept) /* No memory: a gap in the stream would be worse than its end. */
    shutdown(client->fd, SHUT_RDWR);
}

void clients_feed(struct clients *clients, int stream, const unsigned char *data, size_t size) {
  uint32_t wanted = stream == 0 ? ATTACH_STDOUT : ATTACH_STDERR;
  for (unsigned i = 0; i < clients->count; i++)
    if (clients->list[i].streams & wanted)
      offer(clients, i, stream, data, size);
}

bool clients_blocked(const struct clients *clients, int stream, size_t allowed) {
  uint32_t wanted = stream == 0 ? ATTACH_STDOUT : ATTACH_STDERR;
  for (unsigned i = 0; i < clients->count; i++)
    if ((clients->list[i].streams & wanted) && clients->list[i].end > allowed)
      return true;
  return false;
}

void client_flush(struct clients *clients, unsigned index) {
  struct client *client = &clients->list[index];
  ssize_t n = send(client->fd, client->pending + client->start, client->end - client->start, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0 && errno != EAGAIN && errno != EINTR) {
    client->streams &= ~(uint32_t) (ATTACH_STDOUT | ATTACH_STDERR);
    client->start = client->end;
  }
  if (n > 0)
    client->start += (size_t) n;
  if (client->start == client->end)
    release(client);
}
