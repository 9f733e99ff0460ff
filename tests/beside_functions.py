"""What a second process is given to do."""

import os


def processes(items):
    return [(item, os.getpid()) for item in items]


def noisy(items):
    print("words that are no answer", flush=True)
    return [item * 2 for item in items]


def only_in(process, items):
    """Work in one process and end every other."""
    if os.getpid() != process:
        os._exit(3)
    return [item * 2 for item in items]
