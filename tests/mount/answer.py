#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Open a file, write to it once, and print the answer of the system, with the name of an errno."""
import errno
import os
import sys


def answer(path, text, flags=os.O_TRUNC):
    """Make and open a file and write to it. Returns "done", or the step and the errno."""
    step = "open"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o666)
        try:
            step = "write"
            os.write(fd, text)
        finally:
            os.close(fd)
    except OSError as error:
        return f"{step} {errno.errorcode[error.errno]}"
    return "done"


if __name__ == "__main__":
    arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
    for path, text in zip(arguments[::2], arguments[1::2]):
        print(answer(path, text), flush=True)
