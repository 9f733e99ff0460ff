"""What a worker is at, where the process that started it can see."""

import mmap
import os
import struct

MARK = struct.Struct("<qq")
"""Which event of a request, and which detection."""
NOWHERE = -1, -1
"""The mark of a worker that is at none."""


class Mark:
    """Where a worker says what it is at."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, MARK.size)
        os.close(fd)

    def set(self, event: int, detection: int) -> None:
        """Say which event of a request is next, and which detection."""
        MARK.pack_into(self._map, 0, event, detection)
