# SPDX-License-Identifier: MIT
"""Differencing disks that the library must refuse because of their parents."""
from case import bad, fifo, folder, link_to
from images_child import base, changed, child_of
from vhd import KIB, MACX, SECTOR, W2KU, W2RU, Child, Dynamic, noise

BLOCK = 4 * KIB
LOST, IDENTITY = "VM_E_PARENT_PATH_NOT_FOUND", "VM_E_PARENT_CHILD_ID_MISMATCH"
MODIFIED = "VM_E_PARENT_MODIFIED"
NO_PARENT = "the parent is not a disk of the store"
OTHER = "the parent's uuid is not the recorded one"
OTHER_SIZE = "the parent is larger than the disk"
ENDLESS = "the chain of parents has no end, or is too long"
BAD_PARENT = "a parent cannot be used"


def named(child, name):
    child.name(f"{name}.vhd")
    child.locate(W2RU, f".\\{name}.vhd")
    return child


@bad(f"{NO_PARENT}: no name is recorded", LOST)
def orphan_without_names():
    """Neither the name field nor a locator names the parent."""
    return child_of(base())


@bad(f"{NO_PARENT}: \"orphan.gone\"", LOST)
def orphan():
    """The parent does not exist."""
    return named(child_of(base()), "orphan.gone")


@bad(f"{NO_PARENT}: \"orphan-outside\"", LOST)
def orphan_of_a_parent_outside():
    """The path leads out of the store, but parents must lie in the store."""
    child = child_of(base())
    child.locate(W2RU, "..\\..\\..\\etc\\orphan-outside.vhd")
    child.locate(W2KU, "/etc/passwd")
    child.locate(MACX, b"file:///..%2F..%2Fetc%2Fpasswd")
    return child


@bad(f"{NO_PARENT}: \"a\uFFFDb\"", LOST)
def orphan_of_surrogates():
    """Only the name field names the parent, with half a pair of UTF-16."""
    child = child_of(base())
    child.name("a\uD83Db.vhd")
    return child


@bad(f"{NO_PARENT}: \"orphan-of-a-fifo.base\"", LOST)
def orphan_of_a_fifo():
    """A FIFO has the parent's name; opening it would block."""
    child = named(child_of(base()), "orphan-of-a-fifo.base")
    return child, {"orphan-of-a-fifo.base.vhd": fifo}


@bad(f"{NO_PARENT}: \"orphan-of-a-folder.base\"", LOST)
def orphan_of_a_folder():
    """A folder has the parent's name."""
    child = named(child_of(base()), "orphan-of-a-folder.base")
    return child, {"orphan-of-a-folder.base.vhd": folder}


@bad(f"{NO_PARENT}: \"orphan-of-a-link.base\"", LOST)
def orphan_of_a_link():
    """A symbolic link to the parent has its name."""
    parent = base()
    child = named(child_of(parent), "orphan-of-a-link.base")
    return child, {"orphan-of-a-link.base.vhd": link_to("orphan-of-a-link.real"),
                   "orphan-of-a-link.real": parent}


@bad(f"{OTHER}: \"orphan-of-another.base\" is ef77871f-0bf2-7dae-d588-52a2ed225da4, "
     "expected d749e4ee-cfe7-7634-53ce-d7c71ce58162", IDENTITY)
def orphan_of_another():
    """The parent has another identity."""
    child = named(child_of(base()), "orphan-of-another.base")
    return child, {"orphan-of-another.base.vhd": base()}


@bad(f"{OTHER_SIZE}: \"orphan-of-a-larger.base\" has 16384 bytes, expected 12288", MODIFIED)
def orphan_of_a_larger():
    """The parent is larger than the disk."""
    parent = base()
    child = named(changed(Child(parent, size=3 * BLOCK)), "orphan-of-a-larger.base")
    return child, {"orphan-of-a-larger.base.vhd": parent}


@bad(f"{BAD_PARENT}: \"orphan-of-a-damaged.base\": "
     "the dynamic header does not begin with \"cxsparse\": at byte 512")
def orphan_of_a_damaged():
    """The parent's header is damaged."""
    parent = base()
    child = named(child_of(parent), "orphan-of-a-damaged.base")
    parent.header.cookie = b"CXSPARSE"
    return child, {"orphan-of-a-damaged.base.vhd": parent}


@bad(f"{NO_PARENT}: \"orphan-of-an-orphan.gone\"", LOST)
def orphan_of_an_orphan():
    """The parent exists, but its own parent does not."""
    parent = named(child_of(base()), "orphan-of-an-orphan.gone")
    child = named(child_of(parent), "orphan-of-an-orphan.base")
    return child, {"orphan-of-an-orphan.base.vhd": parent}


@bad(f"{ENDLESS}: it comes back to \"ring-of-one\"")
def ring_of_one():
    """A disk is its own parent."""
    disk = child_of(base())
    disk.header.parent_uuid = disk.footer.uuid
    return named(disk, "ring-of-one")


@bad(f"{ENDLESS}: it comes back to \"ring-of-two\"")
def ring_of_two():
    """Two disks are each other's parent."""
    first = child_of(base())
    second = named(child_of(first), "ring-of-two.other")
    first.header.parent_uuid = second.footer.uuid
    second.header.parent_uuid = first.footer.uuid
    return second, {"ring-of-two.other.vhd": named(first, "ring-of-two")}


@bad(f"{ENDLESS}: it has more than 64 layers")
def chain_of_65():
    """A chain of 65 disks, longer than any in use: XenServer allows 30."""
    parent, others = Dynamic(BLOCK), {}
    for number in range(1, 65):
        file = f"chain-of-65.{number}"
        others[f"{file}.vhd"] = parent
        parent = named(Child(parent), file)
    parent.write(0, noise("last", SECTOR))
    return parent, others
