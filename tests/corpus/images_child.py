# SPDX-License-Identifier: MIT
"""Differencing disks that read, and their parents."""
from case import good
from images_tapdisk import with_batmap
from vhd import (EPOCH, KIB, MAC, MACX, MIB, MODIFIED, SECTOR, W2KU, W2RU, Child, Dynamic, Fixed,
                 noise)

BLOCK = 4 * KIB
TOUCHED = "the parent's time is not the recorded one"
SMALLER = "the parent is smaller than the disk; the rest reads as zeros"


def base(size=4 * BLOCK, **more):
    """A parent with noise in its blocks 0 and 2."""
    disk = Dynamic(size, **more)
    for number in (2, 0):
        disk.write(number * disk.block, noise(f"base {number}", disk.block))
    return disk


def changed(child):
    """Write some sectors of the child, in blocks with and without data of the parent."""
    for sector in (1, 3, 9, 16, 17, 18):
        child.write(sector * SECTOR, noise(f"child {sector}", SECTOR))
    return child


def child_of(parent, **more):
    return changed(Child(parent, **more))


@good(parent="child-by-all-names.base")
def child_by_all_names():
    """Name field, W2ru, W2ku and MacX name the parent, as Windows and blktap write them."""
    parent = base()
    child = Child(parent)
    child.name("child-by-all-names.base.vhd")
    child.locate(W2RU, ".\\child-by-all-names.base.vhd")
    child.locate(W2KU, "C:\\Disks\\child-by-all-names.base.vhd")
    child.locate(MACX, b"file:///Disks/child-by-all-names.base.vhd")
    return changed(child), {"child-by-all-names.base.vhd": parent}


@good(parent="child-by-relative-path.base")
def child_by_relative_path():
    """Only W2ru names the parent."""
    parent = base()
    child = Child(parent)
    child.locate(W2RU, ".\\child-by-relative-path.base.vhd")
    return changed(child), {"child-by-relative-path.base.vhd": parent}


@good(parent="child-by-relative-path-upwards.base")
def child_by_relative_path_upwards():
    """The relative path leads through other folders, but the parent lies in the store."""
    parent = base()
    child = Child(parent)
    child.locate(W2RU, "..\\Images\\Old\\child-by-relative-path-upwards.base.vhd", slot=7)
    return changed(child), {"child-by-relative-path-upwards.base.vhd": parent}


@good(parent="child-by-absolute-path.base")
def child_by_absolute_path():
    """Only W2ku names the parent."""
    parent = base()
    child = Child(parent)
    child.locate(W2KU, "D:\\Virtual Machines\\child-by-absolute-path.base.vhd", slot=3)
    return changed(child), {"child-by-absolute-path.base.vhd": parent}


@good(parent="child-by-url with ä.base")
def child_by_url():
    """Only MacX names the parent, with blanks and letters encoded."""
    parent = base()
    child = Child(parent)
    child.locate(MACX, b"file://localhost/Disks/child-by-url%20with%20%C3%A4.base.vhd")
    return changed(child), {"child-by-url with ä.base.vhd": parent}


@good(parent="child-by-name-field.base")
def child_by_name_field():
    """Only the header's name field names the parent."""
    parent = base()
    child = child_of(parent)
    child.name("child-by-name-field.base.vhd")
    return child, {"child-by-name-field.base.vhd": parent}


@good(parent="child-by-path-in-name-field.base")
def child_by_path_in_name_field():
    """The name field holds the whole path, as Windows writes it."""
    parent = base()
    child = child_of(parent)
    child.name("C:\\Users\\Public\\Documents\\Hyper-V\\child-by-path-in-name-field.base.vhd")
    return child, {"child-by-path-in-name-field.base.vhd": parent}


@good(parent="child-by-second-name.base")
def child_by_second_name():
    """W2ru and the name field name disks that do not exist; W2ku names the right one."""
    parent = base()
    child = Child(parent)
    child.name("child-by-second-name.lost.vhd")
    child.locate(W2RU, ".\\child-by-second-name.gone.vhd")
    child.locate(W2KU, "C:\\child-by-second-name.base.vhd")
    return changed(child), {"child-by-second-name.base.vhd": parent}


@good(parent="child-of-another-case.base")
def child_of_another_case():
    """The parent's file ends in ".VHD"."""
    parent = base()
    child = child_of(parent)
    child.name("child-of-another-case.base.vhd")
    return child, {"child-of-another-case.base.VHD": parent}


@good(parent="Größe 日本 \U0001F600")
def child_of_letters():
    """The parent's name has letters beyond ASCII, and beyond 16 bits."""
    parent = base()
    child = Child(parent)
    child.name("Größe 日本 \U0001F600.vhd")
    child.locate(W2RU, ".\\Größe 日本 \U0001F600.vhd")
    return changed(child), {"Größe 日本 \U0001F600.vhd": parent}


@good(parent="child-with-surrogates.base")
def child_with_surrogates():
    """Name field and W2ku hold half pairs of UTF-16; W2ru names the parent."""
    parent = base()
    child = Child(parent)
    child.name("a\uD83Db.vhd")
    child.locate(W2KU, "C:\\\uDE00\uD83D.vhd")
    child.locate(W2RU, ".\\child-with-surrogates.base.vhd")
    return changed(child), {"child-with-surrogates.base.vhd": parent}


@good(parent="child-with-space-in-sectors.base")
def child_with_space_in_sectors():
    """The locator's data space is a number of sectors, as in the specification and XO."""
    parent = base()
    child = Child(parent)
    child.locate(W2RU, ".\\child-with-space-in-sectors.base.vhd", space=1)
    return changed(child), {"child-with-space-in-sectors.base.vhd": parent}


@good(parent="child-with-space-of-nothing.base")
def child_with_space_of_nothing():
    """The locator's data space is 0; its length is right."""
    parent = base()
    child = Child(parent)
    child.locate(W2RU, ".\\child-with-space-of-nothing.base.vhd", space=0)
    return changed(child), {"child-with-space-of-nothing.base.vhd": parent}


@good(parent="child-with-space-of-a-length.base")
def child_with_space_of_a_length():
    """The locator's data space is the length of its text, and not a multiple of 512."""
    parent = base()
    text = ".\\" + "..\\" * 200 + "child-with-space-of-a-length.base.vhd"
    child = Child(parent)
    child.locate(W2RU, text, space=2 * len(text))
    return changed(child), {"child-with-space-of-a-length.base.vhd": parent}


@good(parent="child-with-zeros-in-its-locator.base")
def child_with_zeros_in_its_locator():
    """The locator's length includes its padding of zeros."""
    parent = base()
    child = Child(parent)
    text = ".\\child-with-zeros-in-its-locator.base.vhd".encode("utf-16-le")
    child.locate(W2RU, text.ljust(512, b"\0"))
    return changed(child), {"child-with-zeros-in-its-locator.base.vhd": parent}


@good(parent="child-with-locator-before-the-table.base")
def child_with_locator_before_the_table():
    """The locator's data lies between header and table."""
    parent = base()
    child = Child(parent, table=2048)
    child.locate(W2RU, ".\\child-with-locator-before-the-table.base.vhd", at=1536)
    return changed(child), {"child-with-locator-before-the-table.base.vhd": parent}


@good(parent="child-with-locators-behind-the-blocks.base")
def child_with_locators_behind_the_blocks():
    """The locators' data lies between the last block and the footer."""
    parent = base()
    child = changed(Child(parent))
    child.locate(W2RU, ".\\child-with-locators-behind-the-blocks.base.vhd")
    child.locate(MACX, b"file:///child-with-locators-behind-the-blocks.base.vhd")
    return child, {"child-with-locators-behind-the-blocks.base.vhd": parent}


@good(parent="child-with-locators-between-blocks.base")
def child_with_locators_between_blocks():
    """A locator's data lies between two blocks."""
    parent = base()
    child = Child(parent)
    child.write(0, noise("zero", SECTOR))
    child.locate(W2RU, ".\\child-with-locators-between-blocks.base.vhd")
    return changed(child), {"child-with-locators-between-blocks.base.vhd": parent}


@good(parent="child-with-an-unused-locator-area.base")
def child_with_an_unused_locator_area():
    """Space for locators lies before the blocks, and no slot points at it."""
    parent = base()
    child = Child(parent)
    child.put(child.next, bytes(2 * SECTOR))
    child.skip(2 * SECTOR)
    child.name("child-with-an-unused-locator-area.base.vhd")
    return changed(child), {"child-with-an-unused-locator-area.base.vhd": parent}


@good(parent="child-with-mac-alias.base")
def child_with_mac_alias():
    """A locator holds an alias of a Mac, which is binary; another one is empty."""
    parent = base()
    child = Child(parent)
    child.locate(MAC, noise("alias", 300))
    child.locate(W2KU, b"")
    child.name("child-with-mac-alias.base.vhd")
    return changed(child), {"child-with-mac-alias.base.vhd": parent}


@good(parent="child-with-hostile-locators.base")
def child_with_hostile_locators():
    """Locators with impossible lengths and offsets come before a good one."""
    parent = base()
    child = Child(parent)
    places = [(2**32 - 1, 0), (2**32 - 1, 2**64 - 1), (2**31, 2**63), (64, 2**63 - 1),
              (64, 2**64 - 8), (2, 10**6)]
    for slot, (length, offset) in enumerate(places):
        child.locate(W2RU, b"", slot=slot, at=child.next)
        child.header.locators[slot].update(length=length, offset=offset, space=2**32 - 1)
    child.locate(W2RU, ".\\child-with-hostile-locators.base.vhd")
    return changed(child), {"child-with-hostile-locators.base.vhd": parent}


@good(parent="child-of-fixed.base")
def child_of_fixed():
    """The parent is a fixed disk."""
    parent = Fixed(4 * BLOCK)
    parent.write(0, noise("fixed", 4 * BLOCK))
    child = child_of(parent)
    child.name("child-of-fixed.base.vhd")
    return child, {"child-of-fixed.base.vhd": parent}


@good(parent="child-of-larger-blocks.base")
def child_of_larger_blocks():
    """The parent has blocks of 64 KiB, the child of 4 KiB."""
    parent = base(3 * 64 * KIB, block=64 * KIB)
    child = child_of(parent)
    child.write(64 * KIB - SECTOR, noise("across", 3 * SECTOR))
    child.name("child-of-larger-blocks.base.vhd")
    return child, {"child-of-larger-blocks.base.vhd": parent}


@good(parent="child-of-smaller-blocks.base")
def child_of_smaller_blocks():
    """The parent has blocks of 512 bytes, the child of 2 MiB."""
    parent = base(40 * SECTOR, block=SECTOR)
    child = child_of(parent, block=2 * MIB)
    child.name("child-of-smaller-blocks.base.vhd")
    return child, {"child-of-smaller-blocks.base.vhd": parent}


@good(parent="child-without-blocks.base")
def child_without_blocks():
    """The child has no block, so all data is the parent's."""
    parent = base()
    child = Child(parent)
    child.name("child-without-blocks.base.vhd")
    return child, {"child-without-blocks.base.vhd": parent}


@good(parent="child-with-garbage.base")
def child_with_garbage():
    """Sectors with clear bits read from the parent, although garbage lies there."""
    parent = base()
    child = Child(parent)
    child.hide(0, noise("garbage", 4 * BLOCK))
    child.name("child-with-garbage.base.vhd")
    return changed(child), {"child-with-garbage.base.vhd": parent}


@good(parent="child-of-garbage.base")
def child_of_garbage():
    """The parent has garbage under clear bits, and zeros under set bits."""
    parent = Dynamic(4 * BLOCK)
    parent.hide(0, noise("garbage", 3 * BLOCK))
    for sector in (0, 2, 11, 12):
        parent.write(sector * SECTOR, noise(sector, SECTOR))
    child = child_of(parent)
    child.write(2 * SECTOR, bytes(SECTOR))
    child.name("child-of-garbage.base.vhd")
    return child, {"child-of-garbage.base.vhd": parent}


@good(parent="child-of-2-mib.base")
def child_of_2_mib():
    """Parent and child of 5 MiB in blocks of 2 MiB."""
    parent = Dynamic(5 * MIB, block=2 * MIB)
    parent.write(MIB, noise("base", 16 * KIB))
    parent.write(5 * MIB - 4 * KIB, noise("base end", 4 * KIB))
    child = Child(parent, block=2 * MIB)
    child.write(MIB + 4 * KIB, noise("child", 4 * KIB))
    child.write(3 * MIB, noise("child alone", 8 * KIB))
    child.name("child-of-2-mib.base.vhd")
    return child, {"child-of-2-mib.base.vhd": parent}


@good(parent="child-with-batmap.base")
def child_with_batmap():
    """Parent and child by tapdisk, each with its batmap; one block of the child is full."""
    parent = Dynamic(8 * MIB, block=2 * MIB)
    with_batmap(parent)
    parent.write(0, noise("base", 16 * KIB))
    parent.write(2 * MIB, noise("base one", 16 * KIB))
    child = Child(parent, block=2 * MIB)
    with_batmap(child, full=[1])
    for code in (W2KU, W2RU):
        child.locate(code, ".\\child-with-batmap.base.vhd")
    child.write(2 * MIB, noise("child", 16 * KIB) + bytes(2 * MIB - 16 * KIB))
    child.write(4 * KIB, noise("child zero", 4 * KIB))
    child.name("child-with-batmap.base.vhd")
    return child, {"child-with-batmap.base.vhd": parent}


@good(parent="child-whose-parent-lost-its-footer.base")
def child_whose_parent_lost_its_footer():
    """The parent's footer at the end is lost; the copy is used."""
    parent = base()
    parent.tail = bytes(SECTOR)
    child = child_of(parent)
    child.name("child-whose-parent-lost-its-footer.base.vhd")
    return child, {"child-whose-parent-lost-its-footer.base.vhd": parent}


@good(parent="child-of-another-time.base",
      fault=f"{TOUCHED}: \"child-of-another-time.base\" was last changed at 2024-01-01T00:00:00Z, "
            "expected 2023-12-31T23:43:20Z")
def child_of_another_time():
    """The parent has another time than the child recorded, and no other difference."""
    parent = base()
    child = child_of(parent)
    child.header.parent_time = MODIFIED - EPOCH - 1000
    child.name("child-of-another-time.base.vhd")
    return child, {"child-of-another-time.base.vhd": parent}


@good(parent="child-that-lost-its-footer.base",
      fault="the footer at the end of the file is lost; its copy is used")
def child_that_lost_its_footer():
    """The child's own footer at the end is lost."""
    parent = base()
    child = child_of(parent)
    child.tail = b"\xC7" * SECTOR
    child.name("child-that-lost-its-footer.base.vhd")
    return child, {"child-that-lost-its-footer.base.vhd": parent}


class Raw(Fixed):
    """A raw file: the content and no footer."""

    def lay_out(self):
        file = super().lay_out()
        file.pieces.pop()
        file.length = self.flat.size
        return file


@good(parent="child-of-raw.img")
def child_of_raw():
    """The recorded identity of the parent is zeros, and the parent is a raw file, as in blktap."""
    parent = Raw(4 * BLOCK)
    parent.write(0, noise("raw", 3 * BLOCK))
    child = child_of(parent)
    child.header.parent_uuid = bytes(16)
    child.name("child-of-raw.img")
    return child, {"child-of-raw.img": parent}


@good(parent="child-of-smaller-raw.img",
      fault=f"{SMALLER}: \"child-of-smaller-raw.img\" has 5632 bytes of 16384")
def child_of_smaller_raw():
    """A raw parent ends inside a 4 KiB piece of the child."""
    parent = Raw(11 * SECTOR)
    parent.write(0, noise("raw", 11 * SECTOR))
    child = changed(Child(parent, size=4 * BLOCK))
    child.header.parent_uuid = bytes(16)
    child.name("child-of-smaller-raw.img")
    return child, {"child-of-smaller-raw.img": parent}


@good(parent="child-of-nobody.base")
def child_of_nobody():
    """The recorded identity of the parent is zeros, and so is its own, as bximage makes them."""
    parent = base()
    parent.footer.uuid = bytes(16)
    child = child_of(parent)
    child.name("child-of-nobody.base.vhd")
    return child, {"child-of-nobody.base.vhd": parent}


@good(parent="child-of-avhd.base.avhd")
def child_of_avhd():
    """The parent is a snapshot of Hyper-V, an ".avhd" file; its own parent is a ".vhd" file."""
    first = base()
    second = child_of(first)
    second.locate(W2RU, ".\\child-of-avhd.base.vhd")
    child = Child(second)
    child.write(4 * SECTOR, noise("grandchild", SECTOR))
    child.locate(W2RU, ".\\child-of-avhd.base.avhd")
    child.name("C:\\Disks\\child-of-avhd.base.avhd")
    return child, {"child-of-avhd.base.avhd": second, "child-of-avhd.base.vhd": first}
