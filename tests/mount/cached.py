#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# cached.py [forget] FILE: print how many of a thousand 4 KiB pages of a file are in memory. With
# forget, the kernel drops them first; it keeps those that are not durable.
import ctypes
import mmap
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]

fd = os.open(sys.argv[-1], os.O_RDONLY)
length = os.fstat(fd).st_size
if sys.argv[1] == "forget":
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
at = libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
pages = ctypes.create_string_buffer((length + 4095) // 4096)
assert libc.mincore(at, length, pages) == 0
print(sum(byte & 1 for byte in pages.raw) * 1000 // len(pages.raw))
