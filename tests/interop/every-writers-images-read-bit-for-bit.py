#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: a disk from QEMU, Bochs or xmount would read with wrong bytes here. Or a write
# here would damage it for its maker.
#
# Debian has three programs that write VHDs: qemu-img, bximage and xmount. Each makes images of a
# flat file with data at random places. The library reads and writes each image, and its maker reads
# it again if it can. tests/corpus does the same with images of other programs. VHD_SEED, which is
# printed, chooses the places.
import os
import random
import subprocess
import sys

import tools
from tools import corpus

MIB = 1 << 20
SECTOR = 512
CYLINDER = 16 * 63 * SECTOR  # Bochs knows only multiples of it


def fill(path, size, chance):
    """Make a flat file with data at some places, and holes."""
    with open(path, "xb") as file:
        file.truncate(size)
        for offset in (0, size - 3000, *(chance.randrange(size) for _ in range(6))):
            file.seek(offset)
            file.write(chance.randbytes(min(chance.randint(3000, 9000), size - offset)))


def by_qemu_img(flat, image, options):
    tools.run("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", options, flat, image)


def by_qemu_io(flat, image, options):
    """QEMU itself allocates the blocks, in the order of the writes."""
    size = os.stat(flat).st_size
    tools.run("qemu-img", "create", "-q", "-f", "vpc", "-o", options, image, str(size))
    places = list(range(0, size, 65536))
    random.Random(size).shuffle(places)
    sectors, _ = tools.content_of(flat)
    script = []
    for at in places:
        for number in range(at // SECTOR, min(at + 65536, size) // SECTOR):
            if number in sectors:
                piece = f"{flat}.piece.{number}"
                with open(piece, "xb") as out:
                    out.write(sectors[number])
                script += ["-c", f"write -q -s {piece} {number * SECTOR} {SECTOR}"]
    tools.run("qemu-io", "-f", "vpc", *script, image)


def by_bximage(flat, image, _):
    """It prints each percent of its work some thousand times, so the output is dropped."""
    done = subprocess.run(["bximage", "-func=convert", "-imgmode=vpc", "-q", flat, image],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    corpus.expect(0, done.returncode, "bximage")


def by_xmount(flat, image, _):
    """It only shows an image, so copy that."""
    with tools.mounted(f"{flat}.mnt", "xmount", "--in", "raw", flat, "--out", "vhd") as folder:
        shown = next(name for name in os.listdir(folder) if name.endswith(".vhd"))
        subprocess.run(["cp", "--sparse=always", f"{folder}/{shown}", image], check=True)
    os.chmod(image, 0o644)


WRITERS = [
    ("qemu-dynamic", by_qemu_img, "subformat=dynamic", tools.by_qemu),
    ("qemu-dynamic-exact", by_qemu_img, "subformat=dynamic,force_size=on", tools.by_qemu),
    ("qemu-fixed", by_qemu_img, "subformat=fixed", tools.by_qemu),
    ("qemu-fixed-exact", by_qemu_img, "subformat=fixed,force_size=on", tools.by_qemu),
    ("qemu-written", by_qemu_io, "subformat=dynamic,force_size=on", tools.by_qemu),
    ("bochs", by_bximage, None, tools.by_qemu),
    ("xmount", by_xmount, None, None),
]


def larger(content, size):
    """The content of a disk after its maker has rounded the size up: zeros at the end."""
    if size < content[1]:
        raise corpus.Fault(f"the disk has {size} bytes, expected at least {content[1]}")
    return content[0], size


def changed(content, chance):
    """A script of random writes, and the content after them."""
    sectors, size = dict(content[0]), content[1]
    script = b""
    for _ in range(10):
        number, count = chance.randrange(size // SECTOR - 20), chance.randint(1, 20)
        data = chance.randbytes(count * SECTOR)
        script += f"write {number * SECTOR} {len(data)}\n".encode() + data
        sectors.update(corpus.sectors_in(data, number * SECTOR))
    return script, (sectors, size)


def check(store, name, writer, chance):
    make, options, reader = writer
    flat, image = f"{store}/{name}.flat", f"{store}/{name}.vhd"
    fill(flat, 40 * CYLINDER if make == by_bximage else 7 * MIB + 5 * SECTOR, chance)
    make(flat, image, options)
    found = corpus.read_data(store, name)
    content = larger(tools.content_of(flat), found[1])
    corpus.expect_content(content, found, "read by seek")
    corpus.expect_content(content, corpus.read_whole(store, name), "read")
    if reader:
        corpus.expect_content(content, reader(image, f"{flat}.again"), "read by its maker")
    script, content = changed(content, chance)
    corpus.must(corpus.flat(store, name, "write", script=script), "writing")
    corpus.expect_content(content, corpus.read_whole(store, name), "read after writing")
    if reader:
        corpus.expect_content(content, reader(image, f"{flat}.again"), "its maker after writing")


def test(folder):
    corpus.need_commands("qemu-img", "qemu-io", "bximage", "xmount")
    seed = int(os.environ.get("VHD_SEED") or random.SystemRandom().randrange(2**32))
    print(f"VHD_SEED={seed}", flush=True)
    writers = {name: writer for name, *writer in WRITERS}
    if not tools.HAS_FUSE:
        del writers["xmount"]
    corpus.each(writers, lambda name, writer: check(folder, name, writer,
                                                    random.Random(f"{seed} {name}")))
    if not tools.HAS_FUSE:
        print("SKIPPED: xmount writes nothing, because it needs /dev/fuse; the others are right")
        sys.exit(77)
    return f"images of {len(writers)} kinds, each as expected"


corpus.run(test, with_images=False)
