#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: writing here to a disk from another program would destroy data, or damage the
# image so that the other program could not use it.
#
# Each good disk of the corpus is opened for writing and closed. Then it is written to, discarded
# and read at random places, several times. After each step the library, the corpus' own reader and
# other programs that know such images must read the expected content. The reader must find no
# fault, and no parent may change. Last, the disk is made larger and smaller. VHD_SEED, which is
# printed, chooses the places; VHD_ROUNDS is the number of rounds. VHD_ALONE=1 leaves the other
# programs out. VHD_SAMPLE=N writes to N disks only, which the seed chooses too.
import json
import os
import random
import shutil
import subprocess

import corpus
import reader

SECTOR = 512
WHOLE = 64 << 20  # largest disk to read whole
FAR = (2 << 40) - (64 << 20)  # a longer file has no place for many blocks
BLOCK = 4 << 20  # largest block of a disk to resize
ROUNDS = int(os.environ.get("VHD_ROUNDS") or 1)
SAMPLE = int(os.environ.get("VHD_SAMPLE") or 0)  # disks; 0 for all
CHANGES = 16
# Disks that do not grow: other metadata follows their table, or they are as large as can be.
REFUSED = ["batmap", "batmap-behind-a-large-table", "batmap-of-an-empty-disk",
           "batmap-of-tapdisk-1-1", "dynamic-2-tib", "dynamic-2093050-mb",
           "table-before-the-header"]
ALONE = os.environ.get("VHD_ALONE") == "1"
TOOL_7Z = next(filter(shutil.which, ("7zz", "7z")), None)


class Model:
    """The expected content of a disk."""

    def __init__(self, path):
        self.sectors, self.size = reader.sectors_of(path)

    def content(self):
        return self.sectors, self.size

    def write(self, offset, data):
        first, end = offset // SECTOR, -(-(offset + len(data)) // SECTOR)
        span = bytearray(b"".join(self.sectors.get(number, bytes(SECTOR))
                                  for number in range(first, end)))
        span[offset - first * SECTOR : offset - first * SECTOR + len(data)] = data
        for number in range(first, end):
            self.sectors.pop(number, None)
        self.sectors.update(corpus.sectors_in(bytes(span), first * SECTOR))


    def resize(self, size):
        self.size = size
        self.sectors = {number: data for number, data in self.sectors.items()
                        if number < size // SECTOR}


def place(chance, model):
    """A random range: anywhere, or near existing data."""
    length = min(model.size, chance.choice([1, 511, 512, 513, 4096, 5000, 9 * SECTOR, 70000]))
    if model.sectors and chance.random() < 0.6:
        offset = chance.choice(list(model.sectors)) * SECTOR + chance.randint(-2000, 2000)
    else:
        offset = chance.randrange(model.size)
    return max(0, min(offset, model.size - length)), length


def changes(chance, model):
    """A script of random calls for the library. The model changes too."""
    script = b""
    for _ in range(CHANGES):
        offset, length = place(chance, model)
        way = chance.random()
        if way < 0.2:
            script += f"discard {offset} {length}\n".encode()
            model.write(offset, bytes(length))
        elif way < 0.3:
            script += b"flush\n"
        else:
            data = bytes(length) if way < 0.4 else chance.randbytes(length)
            script += f"write {offset} {length}\n".encode() + data
            model.write(offset, data)
    return script


def check_image(store, name, original, model, when):
    image = f"{store}/{name}.vhd"
    corpus.expect_content(model.content(), corpus.read_data(store, name), f"{when}: read by seek")
    if model.size <= WHOLE:
        corpus.expect_content(model.content(), corpus.read_whole(store, name), f"{when}: read")
    corpus.expect_content(model.content(), reader.sectors_of(image), f"{when}: the corpus' reader")
    found = list(reader.complaints(image, original))
    if found:
        raise corpus.Fault(f"{when}: {'; '.join(found)}")


def size_in_qemu(image):
    """The size that QEMU finds; None if it does not open the disk."""
    done = subprocess.run(["qemu-img", "info", "-f", "vpc", "--output=json", image], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)
    return json.loads(done.stdout)["virtual-size"] if done.returncode == 0 else None


def check_qemu(original, image, model):
    """If QEMU could read the disk before, it must read it now. QEMU measures some disks by their
    geometry, and finds no bitmap in blocks below 4 KiB.
    """
    if size_in_qemu(original) != model.size or reader.Image(image).block < 4096:
        return
    corpus.expect(model.size, size_in_qemu(image), "qemu-img: size")
    raw = f"{image}.raw"
    subprocess.run(["qemu-img", "convert", "-q", "-f", "vpc", "-O", "raw", image, raw], check=True,
                   stdin=subprocess.DEVNULL)
    with open(raw, "rb") as file:
        corpus.expect_content(model.content(), (corpus.sectors_of(file, model.size), model.size),
                              "qemu-img")
    os.unlink(raw)


def opens(command, model):
    """Returns true if a program opens a disk without complaint and finds its size."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    words = done.stdout.decode(errors="replace").replace("(", " ").split()
    return done.returncode == 0 and str(model.size) in words and "ERRORS:" not in words


def check_readers(original, image, facts, model):
    """Other programs must open the disk if they could before, or if it keeps all rules."""
    if facts["type"] == "dynamic" and not list(reader.complaints(image)):
        check_qemu(original, image, model)
    for command in () if ALONE else (["vhdiinfo"], [TOOL_7Z, "l", "-slt", "-tVHD"]):
        if opens(command + [original], model) and not opens(command + [image], model):
            raise corpus.Fault(f"{command[0]} no longer opens it")


def refuses(name, facts, cases):
    """The outcome of opening a disk for writing that must be refused; None if it must succeed."""
    if facts["fault"].endswith("opens for reading only"):
        return "VM_E_FILE_READ_ONLY"
    is_parent = any(other["parent"] == name and other["parent_uuid"] == facts["uuid"]
                    for other in cases.values())
    return "VM_E_FILE_READ_ONLY" if is_parent else None


def check_refusal(store, name, outcome):
    before = corpus.Files(store)
    done = corpus.flat(store, name, "write")
    corpus.expect(1, done.returncode, "exit status, to write")
    corpus.expect(outcome, done.stderr.decode().split()[1], "outcome, to write")
    corpus.expect([], before.changed(), "files changed by a refusal")


def write(store, name, script, what):
    """Run a script. Returns whether the image had place for it: a block far behind can leave no
    sector number for the next one. (The stretch in front of the first block is not ours.)
    """
    done = corpus.flat(store, name, "write", script=script)
    if done.stderr.rstrip().endswith(b"EFBIG") and os.path.getsize(f"{store}/{name}.vhd") > FAR:
        return False
    corpus.must(done, what)
    return True


def check_disk(folder, store, name, facts, chance):
    original, image = f"{folder}/{name}.vhd", f"{store}/{name}.vhd"
    model = Model(image)
    before = corpus.Files(store)
    corpus.must(corpus.flat(store, name, "write"), "opening for writing")
    check_image(store, name, original, model, "opened and closed")
    if reader.is_clean(original):
        corpus.expect([], before.changed(), "files changed by opening a clean disk for writing")
    for number in range(ROUNDS):
        script = changes(chance, model)
        if not write(store, name, script, f"round {number}"):
            return
        check_image(store, name, original, model, f"round {number}")
    changed = before.changed()
    if changed not in ([], [f"{name}.vhd"]):
        raise corpus.Fault(f"files changed by writing: {changed}")
    if not ALONE:
        check_readers(original, image, facts, model)


def check_resizing(folder, store, name, facts, chance):
    """A size beyond the first sector of the table, then one below the first."""
    original, image = f"{folder}/{name}.vhd", f"{store}/{name}.vhd"
    model, readable = Model(image), Model(original)
    block = reader.Image(image).block if facts["type"] == "dynamic" else 1 << 20
    if block > BLOCK:
        return
    for size in (model.size + 300 * block + SECTOR, max(SECTOR, model.size // 1024 * SECTOR)):
        done = corpus.flat(store, name, "write", script=f"resize {size}\n".encode())
        if done.returncode == 3 and done.stderr.startswith(b"judging") and name in REFUSED:
            continue
        corpus.must(done, f"resizing to {size}")
        model.resize(size)
        if not write(store, name, changes(chance, model), f"writing after {size}"):
            return
        check_image(store, name, None, model, f"resized to {size}")
    for command in () if ALONE else (["vhdiinfo"], [TOOL_7Z, "l", "-slt", "-tVHD"]):
        if opens(command + [original], readable) and not opens(command + [image], model):
            raise corpus.Fault(f"{command[0]} does not open it with {model.size} bytes")


def test(folder):
    if not ALONE:
        corpus.need_commands("qemu-img", "vhdiinfo", TOOL_7Z or "7zz")
    seed = int(os.environ.get("VHD_SEED") or random.SystemRandom().randrange(2**32))
    print(f"VHD_SEED={seed}", flush=True)
    store = corpus.copy_of(f"{folder}/good", f"{folder}/store")
    cases = corpus.texts("good")
    names = random.Random(seed).sample(sorted(cases), min(len(cases), SAMPLE or len(cases)))

    def check(name, facts):
        outcome = refuses(name, facts, cases)
        if outcome:
            check_refusal(store, name, outcome)
        else:
            check_disk(f"{folder}/good", store, name, facts, random.Random(f"{seed} {name}"))
            if facts["type"] != "differencing":
                check_resizing(f"{folder}/good", store, name, facts, random.Random(seed))

    corpus.each({name: cases[name] for name in names}, check)
    return f"{len(names)} disks, each whole after {ROUNDS * CHANGES} changes"


corpus.run(test)
