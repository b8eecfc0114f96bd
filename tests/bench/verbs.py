# SPDX-License-Identifier: MIT
"""The rows of the verbs that change a disk."""
import os

from turns import MB, Turn, print_beside_syncs, print_row, run, alternate

BLOCK = 2 * MB
LARGE = 2040 << 10  # MB

# The syncs of each verb, as strace shows them. Syncs explains the letters.
RESIZE = "--oo"  # to open the disk and to confirm it; the footer, its copy
SNAPSHOT = "-ann-n"  # to open the disk; the new image, its name, the other name; both in place
MERGE = "----n"  # to open both disks, around no entries; the child is gone


def copy_turns(mount, image, kind, how):
    """The peers that copy an image: to a type, and as it is."""
    copy = f"{mount.folder}/copy"

    def convert():
        run("qemu-img", "convert", "-f", "vpc", "-O", "vpc", "-o",
            f"subformat={kind},force_size=on", image, copy)
        run("sync", copy)

    def copy_image():
        run("cp", f"--sparse={how}", "--reflink=never", image, copy)
        run("sync", copy)

    remove = lambda: os.remove(copy)
    return {
        "qemu-img": Turn(convert, undo=remove, sources=[image]),
        "cp": Turn(copy_image, undo=remove, sources=[image]),
    }


def convert(mount, rounds):
    """The disk "half" becomes fixed and dynamic again in each round."""
    image, turns = mount.image("half"), {}
    for kind in "fixed", "dynamic":
        for peer, turn in copy_turns(mount, image, kind, "always").items():
            turns[kind, peer] = turn
        turns[kind, "convert"] = Turn(lambda kind=kind: mount.verb("half", f"convert {kind}"),
                                      sources=[image])
    medians = alternate(mount.folder, turns, rounds)
    for kind in "fixed", "dynamic":
        print_row(f"convert {kind}", medians[kind, "convert"],
                  {peer: medians[kind, peer] for peer in ("qemu-img", "cp")})


def free_every_other(path, size):
    """Write zeros over every other block of a half-full disk."""
    with open(path, "r+b") as raw:
        for at in range(0, size // 2 // BLOCK * BLOCK, 2 * BLOCK):
            raw.seek(at)
            raw.write(bytes(BLOCK))
        os.fsync(raw.fileno())


def compact(mount, size, rounds):
    """Every other block of the disk "half" becomes zeros. Each turn has a copy of it."""
    free_every_other(f"{mount.tree}/disks/half/raw", size)
    image = mount.image("freed")
    prepare = lambda: run("cp", "--sparse=never", "--reflink=never", mount.image("half"), image)
    turns = {text: Turn(lambda text=text: mount.verb("freed", text), prepare,
                        lambda: mount.remove("freed"), [image])
             for text in ("compact", "convert fixed")}
    medians = alternate(mount.folder, turns, rounds)
    print_row("compact, half of the data zeros", medians["compact"],
              {"convert fixed": medians["convert fixed"]})


def metadata(mount, rounds):
    """Verbs that move no data, of an empty disk of 2040 GB."""
    mount.make("large", f"{LARGE}")

    def resize(size):
        mount.verb("large", f"resize {size}")

    def end_snapshot():
        mount.remove("large")
        mount.rename("kept", "large")

    # Both sizes have the same number of blocks.
    smaller, larger = lambda: resize(LARGE - 1), lambda: resize(LARGE)
    for name, turn, letters in (
            ("resize 2040 GB, 1 MB less", Turn(smaller, undo=larger), RESIZE),
            ("resize 2040 GB, 1 MB more", Turn(larger, prepare=smaller), RESIZE),
            ("snapshot 2040 GB",
             Turn(lambda: mount.verb("large", "snapshot kept"), undo=end_snapshot), SNAPSHOT),
            ("merge 2040 GB, empty child",
             Turn(lambda: mount.verb("child", "merge"),
                  prepare=lambda: mount.make("child", "parent=large")), MERGE)):
        print_beside_syncs(name, mount.folder, turn, letters, rounds)
    mount.remove("large")
