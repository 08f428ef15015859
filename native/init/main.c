/* Entry: `gantry-init launcher SOCKET`, and for hooks `gantry-init inside PID PROGRAM ARGUMENT…`. */
#include "gantry.h"

#include <sys/sendfile.h>

extern char **environ;

#define SEALED_NAME "gantry-init"

/*
 * Continues from a sealed copy of this program in memory. Until its execve a container's process, and its PID 1 under --init for good,
 * runs our code inside the container's namespaces, where /proc/PID/exe names our program: a root in there could try to open it and
 * write to it (CVE-2019-5736). The sealed copy cannot be written by anybody, and the file on disk is never the answer.
 * Where the system forbids executable memfds (vm.memfd_noexec=2) we go on from disk: the processes are still not dumpable, so opening
 * that link takes CAP_SYS_PTRACE, and the launcher's own mapping makes the file busy (ETXTBSY).
 */
static void continue_sealed(char **argv) {
  char self[sizeof("/memfd:" SEALED_NAME)] = {0};
  if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0 && strncmp(self, "/memfd:" SEALED_NAME, sizeof(self) - 1) == 0)
    return;
  cleanup_close int source = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  /* MFD_EXEC (0x10): without it vm.memfd_noexec=1 would make it a file that is not executable; before Linux 6.3 it is unknown and not needed. */
  int made = memfd_create(SEALED_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x10u);
  cleanup_close int copy = made < 0 && errno == EINVAL ? memfd_create(SEALED_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING) : made;
  struct stat info;
  if (source < 0 || copy < 0 || fstat(source, &info) < 0)
    return;
  for (off_t at = 0; at < info.st_size;)
    if (sendfile(copy, source, &at, (size_t) (info.st_size - at)) <= 0)
      return;
  if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
    return;
  fexecve(copy, argv, environ);
}

int main(int argc, char **argv) {
  bool inside = argc >= 5 && strcmp(argv[1], "inside") == 0;
  if (!inside && (argc != 3 || strcmp(argv[1], "launcher") != 0)) {
    fprintf(stderr, "usage: gantry-init launcher SOCKET | inside PID PROGRAM ARGUMENT...\n");
    return 64;
  }
  continue_sealed(argv);
  /* Before anything is forked: nobody without CAP_SYS_PTRACE looks into a process of ours through /proc or ptrace. execve resets it. */
  prctl(PR_SET_DUMPABLE, 0);
  if (inside) {
    int status = inside_main((pid_t) strtol(argv[2], NULL, 10), argv + 3);
    if (status < 0)
      fprintf(stderr, "gantry-init: namespaces of process %s: %s\n", argv[2], strerror(-status));
    return status < 0 ? 127 : status;
  }
  static char socket_path[PATH_MAX];
  if (strlen(argv[2]) >= sizeof(socket_path))
    return 64;
  strcpy(socket_path, argv[2]);
  title_init(argv, environ);
  int result = launcher_main(socket_path);
  if (result < 0)
    fprintf(stderr, "gantry-init: launcher on %s: %s\n", socket_path, strerror(-result));
  return result == -EADDRINUSE ? 17 : result < 0;
}
