# SPDX-License-Identifier: MIT
"""Differencing disks that read: larger than their parents, and long chains."""
from case import good
from images_child import BLOCK, base, changed
from vhd import EPOCH, KIB, MIB, MODIFIED, SECTOR, W2RU, Child, Dynamic, Fixed, noise

TOUCHED = "the parent's time is not the recorded one"
SMALLER = "the parent is smaller than the disk; the rest reads as zeros"


def larger(name, parent, size, **more):
    """A child larger than its parent, with own sectors around the parent's end."""
    child = changed(Child(parent, size=size, **more))
    end = parent.flat.size
    child.write(end - 2 * SECTOR, noise("before", SECTOR))
    child.write(end + SECTOR, noise("behind", 2 * SECTOR))
    child.write(size - SECTOR, noise("last", SECTOR))
    child.name(f"{name}.vhd")
    return child


@good(parent="child-larger-than-its-parent.base",
      fault=f"{SMALLER}: \"child-larger-than-its-parent.base\" has 13824 bytes of 327680")
def child_larger_than_its_parent():
    """The parent ends inside a block and inside 4 KiB. Behind its end lies garbage, bits set."""
    parent = Dynamic(27 * SECTOR)
    parent.write(0, noise("base", 9 * SECTOR))
    parent.write(3 * BLOCK, noise("base end", BLOCK))
    parent.fill_bits()
    child = larger("child-larger-than-its-parent.base", parent, 320 * KIB, block=64 * KIB)
    return child, {"child-larger-than-its-parent.base.vhd": parent}


@good(parent="child-larger-in-small-blocks.base",
      fault=f"{SMALLER}: \"child-larger-in-small-blocks.base\" has 70144 bytes of 131072")
def child_larger_in_small_blocks():
    """The parent has blocks of 64 KiB, the child of 4 KiB."""
    parent = Dynamic(137 * SECTOR, block=64 * KIB)
    parent.write(0, noise("base", 137 * SECTOR))
    child = larger("child-larger-in-small-blocks.base", parent, 128 * KIB)
    return child, {"child-larger-in-small-blocks.base.vhd": parent}


@good(parent="child-larger-than-a-fixed.base",
      fault=f"{SMALLER}: \"child-larger-than-a-fixed.base\" has 10752 bytes of 131072")
def child_larger_than_a_fixed():
    """Behind the parent's content lies its footer, which is not content."""
    parent = Fixed(21 * SECTOR)
    parent.write(0, noise("fixed", 21 * SECTOR))
    child = larger("child-larger-than-a-fixed.base", parent, 128 * KIB, block=64 * KIB)
    return child, {"child-larger-than-a-fixed.base.vhd": parent}


@good(parent="child-larger-in-2-mib.base",
      fault=f"{SMALLER}: \"child-larger-in-2-mib.base\" has 3148288 bytes of 9437184")
def child_larger_in_2_mib():
    """Blocks of 2 MiB, as XenServer makes them."""
    parent = Dynamic(3 * MIB + 5 * SECTOR, block=2 * MIB)
    parent.write(2 * MIB, noise("base", MIB + 5 * SECTOR))
    child = larger("child-larger-in-2-mib.base", parent, 9 * MIB, block=2 * MIB)
    return child, {"child-larger-in-2-mib.base.vhd": parent}


@good(parent="child-larger-twice.middle",
      fault=f"{SMALLER}: \"child-larger-twice.middle\" has 53248 bytes of 98304")
def child_larger_twice():
    """A child is larger than its parent, and the parent larger than its own."""
    first = base(27 * SECTOR)
    second = larger("child-larger-twice.base", first, 13 * BLOCK)
    child = larger("child-larger-twice.middle", second, 96 * KIB, block=64 * KIB)
    return child, {"child-larger-twice.base.vhd": first, "child-larger-twice.middle.vhd": second}


@good(parent="child-larger-and-touched.base",
      fault=f"{TOUCHED}: \"child-larger-and-touched.base\" was last changed at "
            "2024-01-01T00:00:00Z, expected 2023-12-31T23:43:20Z; "
            f"{SMALLER}: \"child-larger-and-touched.base\" has 16384 bytes of 32768")
def child_larger_and_touched():
    """The parent is smaller and has another time."""
    parent = base()
    child = larger("child-larger-and-touched.base", parent, 8 * BLOCK)
    child.header.parent_time = MODIFIED - EPOCH - 1000
    return child, {"child-larger-and-touched.base.vhd": parent}


def chain(name, parent, length, blocks):
    """A chain of that many disks: the last one, and the others by file name."""
    others = {}
    for number in range(1, length):
        file = f"{name}.{number}.vhd"
        others[file] = parent
        child = Child(parent, block=blocks[number % len(blocks)])
        child.locate(W2RU, f".\\{file}")
        sectors = child.flat.size // SECTOR
        for sector in (number % sectors, 7 * number % sectors, sectors - 1 - number % 5):
            child.write(sector * SECTOR, noise(f"{number} {sector}", SECTOR))
        parent = child
    return parent, others


@good(parent="chain-of-2.1")
def chain_of_2():
    """A child and its parent."""
    return chain("chain-of-2", base(), 2, [BLOCK])


@good(parent="chain-of-3.2")
def chain_of_3():
    """A grandchild, with blocks of three sizes."""
    return chain("chain-of-3", base(), 3, [BLOCK, 16 * KIB, SECTOR])


@good(parent="chain-of-30.29")
def chain_of_30():
    """30 disks, the most that XenServer allows, with blocks of many sizes; the first is fixed."""
    first = Fixed(256 * KIB)
    first.write(0, noise("first", 256 * KIB))
    sizes = [SECTOR, 64 * KIB, BLOCK, MIB, 2 * KIB]
    return chain("chain-of-30", first, 30, sizes)


@good(parent="chain-of-one-sector-each.8")
def chain_of_one_sector_each():
    """Every sector of a subblock comes from another disk of the chain."""
    parent, others = Dynamic(BLOCK), {}
    parent.write(0, noise("base", SECTOR))
    for number in range(1, 9):
        file = f"chain-of-one-sector-each.{number}.vhd"
        others[file] = parent
        child = Child(parent)
        child.name(file)
        if number < 8:
            child.write(number * SECTOR, noise(number, SECTOR))
        parent = child
    return parent, others
