# SPDX-License-Identifier: MIT
"""A case of the corpus: a function makes an image of its name, and a decorator says the result."""
import os

from vhd import SECTOR, Disk, ids

GOOD, BAD = {}, {}


class Case:
    def __init__(self, name, about, make, wanted):
        self.name, self.about, self.make, self.wanted = name, about, make, wanted

    def build(self):
        """Returns the disk, and a dict of its other files by name."""
        ids.begin(self.name)
        made = self.make()
        return made if isinstance(made, tuple) else (made, {})

    def save(self, folder):
        """Returns the disk."""
        disk, others = self.build()
        for file, content in {f"{self.name}.vhd": disk, **others}.items():
            save(content, f"{folder}/{file}")
        return disk


def save(content, path):
    if isinstance(content, bytes):
        with open(path, "xb") as out:
            out.write(content)
    elif isinstance(content, Disk):
        content.save(path)
    else:
        content(path)


def fifo(path):
    os.mkfifo(path)


def folder(path):
    os.mkdir(path)


def link_to(target):
    return lambda path: os.symlink(target, path)


def case(into, make, wanted):
    name = make.__name__.replace("_", "-")
    assert name not in GOOD and name not in BAD, name
    into[name] = Case(name, " ".join(make.__doc__.split()), make, wanted)
    return make


def good(fault="-", parent="-"):
    """A disk that reads. `info` shows these values of fault and parent."""
    return lambda make: case(GOOD, make, {"fault": fault, "parent": parent})


def bad(fault, result="VM_E_INVALID_HD_FILE"):
    """A disk that is refused. `info` shows this sentence, and opening gives this result."""
    return lambda make: case(BAD, make, {"fault": fault, "result": result})


TYPES = {2: "fixed", 3: "dynamic", 4: "differencing"}


def uuid_text(uuid):
    text = uuid.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def creator_text(footer):
    app = "".join(chr(c) if 0x20 < c < 0x7F else "." for c in footer.creator.rstrip(b" \0"))
    return f"{app} {footer.creator_version >> 16}.{footer.creator_version & 0xFFFF}".strip()


def facts(case_, disk):
    """The values that `info` must show of a good disk, and the digest of its content."""
    footer, has_blocks = disk.footer, disk.footer.kind != 2
    way, digest = disk.flat.digest()
    return {
        "type": TYPES[footer.kind],
        "bytes": str(footer.size),
        "length": str(disk.lay_out().length),
        "uuid": uuid_text(footer.uuid),
        "creator": creator_text(footer),
        "geometry": "/".join(map(str, footer.geometry)),
        "blocks": str(-(-footer.size // disk.block)) if has_blocks else "-",
        "allocated": str(len(disk.blocks)) if has_blocks else "-",
        "parent": case_.wanted["parent"],
        "parent_uuid": uuid_text(disk.header.parent_uuid) if footer.kind == 4 else "-",
        "fault": case_.wanted["fault"],
        way: digest,
    }


def text_of(case_, disk):
    """The expected text: one line about the image, then one line a value."""
    wanted = case_.wanted if case_.name in BAD else facts(case_, disk)
    lines = [f"# {case_.about}"] + [f"{key} {value}" for key, value in wanted.items()]
    return "\n".join(lines) + "\n"


assert SECTOR == 512
