# SPDX-License-Identifier: MIT
"""seeds.py TARGET CORPUS FOLDER: make the inputs of a target in that folder, which is new. Print the
folders that have inputs.

A target begins with those in seeds/TARGET, which are lines and what did harm once, and with others
that are cut out of the corpus or put together here.
"""
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

W2RU, MACX = ".\\base.vhd".encode("utf-16-le"), b"file://./base.vhd"
PATHS = [(0, W2RU), (1, "C:\\disks\\base.vhd".encode("utf-16-le")), (2, MACX),
         (2, b"file:///a%20b/%E2%82%AC.vhd"), (0, b"\x00\xd8"), (0, b""), (1, b"\\\x00" * 20)]


def parts_of(image):
    """The footers, the header and the hop sector that an image may have."""
    ends = [image[:512], image[-512:]]
    yield from (kind + end for end in ends for kind in (b"f", b"F") if len(end) == 512)
    if image[512:520] == b"cxsparse":
        yield from (kind + image[512:1536] for kind in (b"h", b"H"))
    at = image.find(b"vhdfshop")
    if at > 0:
        yield from (kind + image[at:at + 512] for kind in (b"o", b"O"))


def parts(corpus):
    found = {b"O" + b"vhdfshop" + struct.pack(">IIQQQI", 1, 0, 512, 2048, 8192, 512)}
    for folder in ("good", "bad"):
        for entry in os.scandir(os.path.join(corpus, folder)):
            if entry.is_file(follow_symlinks=False) and entry.stat().st_size <= 1 << 20:
                with open(entry.path, "rb") as file:
                    found.update(parts_of(file.read()))
    found.update(b"l" + bytes((platform, size)) + path
                 for platform, path in PATHS for size in (0, 5, 255))
    return found


def table(shift, blocks, how, entries, rest=b"", locators=b""):
    """An input as tables.c describes it."""
    return (bytes((shift, blocks - 1, how, len(entries))) +
            b"".join(struct.pack(">H", entry) for entry in entries) + locators + rest)


def tables(_corpus):
    # Bitmap and data of a block of 4096 bytes take nine sectors; the first may begin at sector 4.
    block = b"\xff" * 512 + b"data" * 1024
    locator = struct.pack(">I", 0 << 24 | 512) + struct.pack(">II", len(W2RU), 2048)
    child = locator + bytes(12 * 7)
    yield table(3, 4, 0, [4, 13, 0xFFFF, 22], block * 3)
    yield table(3, 4, 0, [13, 4, 4, 5], block * 3)  # two are one, and two overlap
    yield table(3, 4, 0, [0, 1, 3, 5000], block)  # over the metadata, and past the end
    yield table(3, 4, 4, [3, 12], block * 2)
    yield table(3, 60, 2, [5], block)
    yield table(0, 64, 0, [5, 7, 9, 11], b"\x80" + bytes(511) + b"x" * 512)
    yield table(6, 2, 0, [4], b"\xff" * 512 + b"y" * 60000)
    yield table(3, 4, 1, [5, 14], W2RU.ljust(512, b"\0") + block * 2, child)
    yield table(3, 4, 5, [4], W2RU.ljust(512, b"\0") + block, child)


def images(corpus):
    for entry in sorted(os.scandir(os.path.join(corpus, "good")), key=lambda entry: entry.name):
        if entry.name.endswith(".vhd") and entry.is_file() and entry.stat().st_size <= 65536:
            with open(entry.path, "rb") as file:
                yield file.read()


SOURCES = {"lines": lambda corpus: (), "parts": parts, "tables": tables, "images": images}


def folders(target, corpus, place):
    """Make the inputs of a target in the folder PLACE. Returns the folders that have inputs."""
    os.makedirs(place)
    for number, seed in enumerate(sorted(SOURCES[target](corpus))):
        with open(os.path.join(place, f"{number:04}"), "wb") as file:
            file.write(seed)
    kept = os.path.join(HERE, "seeds", target)
    return [folder for folder in (place, kept) if os.path.isdir(folder) and os.listdir(folder)]


if __name__ == "__main__":
    print(*folders(*sys.argv[1:]), sep="\n")
