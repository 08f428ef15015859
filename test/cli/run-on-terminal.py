"""Runs a command on a pseudo terminal, for interactive tests: node has no way to make one.

Usage: run-on-terminal.py ROWS COLUMNS COMMAND [ARG...]
Output of the command goes to standard output. Standard input carries one JSON object a line: {"send": text} types, {"size": [rows, columns]}
resizes. The status is the command's, 128 + n when a signal ended it.
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

rows, columns, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


pid, terminal = pty.fork()
if pid == 0:
    resize(0, rows, columns)
    os.execvp(command[0], command)
resize(terminal, rows, columns)

watched = [terminal, 0]
pending = b""
while terminal in watched:
    for fd in select.select(watched, [], [])[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:  # EIO: the other side of the terminal is closed
            data = b""
        if not data:
            watched.remove(fd)
        elif fd == terminal:
            os.write(1, data)
        else:
            *lines, pending = (pending + data).split(b"\n")
            for line in map(json.loads, lines):
                if "size" in line:
                    resize(terminal, *line["size"])
                else:
                    os.write(terminal, line["send"].encode())

_, status = os.waitpid(pid, 0)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
