# SPDX-License-Identifier: MIT
"""Give the corpus's differencing disks other parents, merge and snapshot them, through a mount:
foreign.py STORE MOUNTPOINT. CORPUS names the corpus's folder.

The content must stay, as the mount shows it and as the corpus's own reader reads the files.
"""
import errno
import os
import shutil
import sys

sys.path.insert(0, os.environ["CORPUS"])
import corpus  # noqa: E402
import reader  # noqa: E402

SMALL = 16 << 20  # largest disks to try
LONG = "\u3042" * 56  # a name whose locators take more space


def info_of(disk):
    with open(f"{disk}/info", encoding="utf-8") as file:
        return dict(line.split(" ", 1) for line in file.read().splitlines())


def write(path, text):
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def check_content(store, mountpoint, name, facts, what):
    size, wanted = int(facts["bytes"]), corpus.digest_wanted(facts)
    with open(f"{mountpoint}/disks/{name}/raw", "rb") as file:
        corpus.expect(wanted, reader.digest_of(corpus.sectors_of(file, size), size), f"raw {what}")
    file = next(f for f in os.listdir(store) if f[:-4] == name and f.lower().endswith(".vhd"))
    try:
        sectors, size = reader.sectors_of(f"{store}/{file}")
        corpus.expect(wanted, reader.digest_of(sectors, size), f"the reader's content {what}")
    except reader.Unreadable as fault:
        raise corpus.Fault(f"{what}: {fault}") from fault


def rebase(store, mountpoint, name, facts, parent):
    try:
        write(f"{mountpoint}/disks/{name}/ctl", f"rebase {parent}")
    except OSError as refusal:
        raise corpus.Fault(f"rebase {parent}: {refusal}") from refusal
    corpus.expect(parent, info_of(f"{mountpoint}/disks/{name}")["parent"], "info: parent")
    check_content(store, mountpoint, name, facts, f"after rebase {parent}")


def merge(store, mountpoint, name, facts):
    """Merge a copy of the disk into a copy of its parent."""
    disks = f"{mountpoint}/disks"
    child, parent = f"merged-{name}", f"base-{name}"
    file = next(f for f in os.listdir(store) if f[:-4] == facts["parent"] and f.endswith(".vhd"))
    shutil.copyfile(f"{store}/{file}", f"{store}/{parent}.vhd")
    file = next(f for f in os.listdir(store) if f[:-4] == name and f.lower().endswith(".vhd"))
    shutil.copyfile(f"{store}/{file}", f"{store}/{child}.vhd")
    write(f"{disks}/{child}/ctl", f"rebase {parent}")
    try:
        write(f"{disks}/{child}/ctl", "merge")
    except OSError as refusal:
        # A parent that is smaller cannot take the content, and some parents cannot be written to.
        if refusal.errno not in (errno.ERANGE, errno.EROFS):
            raise corpus.Fault(f"merge: {refusal}") from refusal
        return
    with open(f"{mountpoint}/tasks/{child}/wait", encoding="utf-8") as file:
        corpus.expect("completed", file.read().strip(), "the outcome of merge")
    check_content(store, mountpoint, parent, facts, "after a merge")


def check(store, mountpoint, name, facts):
    disk = f"{mountpoint}/disks/{name}"
    file = next(f for f in os.listdir(store) if f[:-4] == facts["parent"] and f.endswith(".vhd"))
    for new_name in (f"moved-{name}", f"moved-{LONG}-{name}", f"again-{name}"):
        shutil.copyfile(f"{store}/{file}", f"{store}/{new_name}.vhd")
        rebase(store, mountpoint, name, facts, new_name)
        file = f"{new_name}.vhd"
    merge(store, mountpoint, name, facts)
    if info_of(disk)["children"] != "0":
        return
    write(f"{disk}/ctl", f"snapshot kept-{name}")
    for each in (name, f"kept-{name}"):
        check_content(store, mountpoint, each, facts, "after a snapshot")
    corpus.expect(f"kept-{name}", info_of(disk)["parent"], "info: parent of the disk")


def is_wanted(store, facts):
    """Is it a small differencing disk, and writable, on a parent that is a disk?"""
    return (facts["type"] == "differencing" and int(facts["bytes"]) <= SMALL
            and os.path.exists(f"{store}/{facts['parent']}.vhd")
            and "read" not in facts["fault"] and "tapdisk" not in facts["fault"])


def main():
    store, mountpoint = sys.argv[1:]
    cases = {name: facts for name, facts in corpus.texts("good").items()
             if is_wanted(store, facts)}
    if len(cases) < 20:
        sys.exit(f"only {len(cases)} cases")
    try:
        corpus.each(cases, lambda name, facts: check(store, mountpoint, name, facts))
    except corpus.Fault as fault:
        sys.exit(str(fault))


main()
