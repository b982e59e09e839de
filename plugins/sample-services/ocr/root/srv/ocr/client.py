"""Whether the phone still waits for its answer."""

import time

ESTABLISHED = "01"
CHECK_SECONDS = 1


class Client:
    """The connection that a request came by. lighttpd does not tell that a client has hung up; the kernel does."""

    def __init__(self, port: int):
        self.port = port
        self.checked = 0.0
        self.left = False

    def has_left(self) -> bool:
        if not self.left and time.monotonic() - self.checked >= CHECK_SECONDS:
            self.checked = time.monotonic()
            self.left = not is_established(self.port)
        return self.left


def is_established(port: int) -> bool:
    """Whether /proc/net/tcp (proc_net_tcp.rst) shows a whole connection from this port of the network's gateway."""
    remote_end = f":{port:04X}"
    with open("/proc/net/tcp") as table:
        rows = (line.split() for line in table)
        return any(row[2].endswith(remote_end) and row[3] == ESTABLISHED for row in rows)
