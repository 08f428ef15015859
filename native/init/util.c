/* Small wrappers: full reads and writes, files, frames, netlink, pidfds, process titles. */
#include "gantry.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/un.h>

int read_full(int fd, void *buffer, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = read(fd, (char *) buffer + done, size - done);
    if (n == 0)
      return -EPIPE;
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n > 0)
      done += (size_t) n;
  }
  return 0;
}

int write_full(int fd, const void *buffer, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = write(fd, (const char *) buffer + done, size - done);
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n > 0)
      done += (size_t) n;
  }
  return 0;
}

int write_file(const char *path, const char *value) {
  cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int send_message(int fd, enum message_type type, const void *payload, size_t size) {
  struct frame frame = {.length = (uint32_t) size, .type = (uint16_t) type, .version = PROTOCOL_VERSION};
  struct iovec parts[2] = {{&frame, sizeof(frame)}, {(void *) (uintptr_t) payload, size}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = size > 0 ? 2 : 1};
  /* All messages are tiny: a peer whose buffer is full does not read at all and is given up by the caller. */
  ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0)
    return -errno;
  return (size_t) sent == sizeof(frame) + size ? 0 : -EPIPE;
}

int pidfd_kill(int pidfd, int signal) {
  return checked(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int netlink_open(void) {
  return checked(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

int netlink_send(int sock, const void *bytes, size_t size) {
  unsigned expected = 0;
  for (size_t at = 0; at + sizeof(struct nlmsghdr) <= size;) {
    struct nlmsghdr header;
    memcpy(&header, (const char *) bytes + at, sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size - at)
      return -EBADMSG;
    if (header.nlmsg_flags & NLM_F_ACK)
      expected++;
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  if (send(sock, bytes, size, 0) < 0)
    return -errno;
  while (expected > 0) {
    _Alignas(struct nlmsghdr) char answer[8192];
    ssize_t n = recv(sock, answer, sizeof(answer), 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    size_t left = (size_t) n;
    for (struct nlmsghdr *header = (void *) answer; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type != NLMSG_ERROR)
        continue;
      const struct nlmsgerr *result = NLMSG_DATA(header);
      if (result->error != 0)
        return result->error;
      if (--expected == 0)
        break;
    }
  }
  return 0;
}

/* Going through the descriptor lifts the 108 bytes of sun_path. */
int listen_in(int directory, const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", directory, name);
  if (length < 0 || (size_t) length >= sizeof(address.sun_path))
    return -ENAMETOOLONG;
  cleanup_close int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (sock < 0)
    return -errno;
  if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
    return -errno;
  mode_t old = umask(0177);
  int bound = bind(sock, (struct sockaddr *) &address, sizeof(address));
  umask(old);
  if (bound < 0 || listen(sock, 512) < 0)
    return -errno;
  int result = sock;
  sock = -1;
  return result;
}

bool peer_trusted(int connection) {
  struct ucred peer;
  socklen_t size = sizeof(peer);
  return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

uint64_t now_ns(int clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

static char *title_start;
static size_t title_size;

void title_init(char **argv, char **envp) {
  /* The kernel shows what lies between the first argument and the end of the environment, which is one block. */
  char **last = *envp != NULL ? envp : argv;
  while (last[1] != NULL)
    last++;
  title_start = argv[0];
  title_size = (size_t) (*last + strlen(*last) + 1 - argv[0]);
}

void set_title(const char *name, const char *detail) {
  prctl(PR_SET_NAME, name);
  if (title_start == NULL)
    return;
  memset(title_start, 0, title_size);
  snprintf(title_start, title_size, "%s %s", name, detail);
}
