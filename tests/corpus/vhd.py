# SPDX-License-Identifier: MIT
"""Images made byte by byte from the VHD specification 1.0, without the library's code.

An image consists of parts, and a test can make each part wrong. It also knows the flat content and
the footer that a reader must see. Every run makes the same bytes.
"""
import hashlib
import os
import struct

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SECTOR = 512
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
ONES = 2**64 - 1
FREE = 2**32 - 1  # the entry of an unallocated block
EPOCH = 946684800  # 2000-01-01 00:00 UTC in Unix time
CREATED = 0x2E000001
MODIFIED = 1704067200  # of every image's file: 2024-01-01 00:00 UTC
W2RU, W2KU, MACX, MAC = b"W2ru", b"W2ku", b"MacX", b"Mac "


def noise(tag, length):
    """Bytes that look random and depend only on the tag."""
    return hashlib.shake_128(str(tag).encode()).digest(length)


def round_up(number, step):
    return -(-number // step) * step


def seal(data, at):
    """Insert the checksum: one's complement of the sum of all bytes, with the field as zeros."""
    total = ~(sum(data[:at]) + sum(data[at + 4 :])) & 0xFFFFFFFF
    return data[:at] + struct.pack(">I", total) + data[at + 4 :]


def geometry(sectors):
    """The geometry of the specification's appendix "CHS Calculation"."""
    sectors = min(sectors, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        return sectors // 255 // 16, 16, 255
    per_track, tracks = 17, sectors // 17
    heads = max((tracks + 1023) // 1024, 4)
    if tracks >= heads * 1024 or heads > 16:
        per_track, heads, tracks = 31, 16, sectors // 31
    if tracks >= heads * 1024:
        per_track, heads, tracks = 63, 16, sectors // 63
    return tracks // heads, heads, per_track


class Fields(dict):
    """A dict whose values are attributes too."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__

    def but(self, **changes):
        return type(self)(self, **changes)


class Footer(Fields):
    @classmethod
    def of(cls, size, kind, uuid):
        return cls(
            cookie=b"conectix", features=2, version=0x00010000,
            data_offset=ONES if kind == FIXED else 512, created=CREATED, creator=b"win ",
            creator_version=0x000A0000, host=b"Wi2k", original_size=size, size=size,
            geometry=geometry(size // SECTOR), kind=kind, checksum=None, uuid=uuid, saved=0,
            reserved=bytes(427))

    def pack(self):
        data = struct.pack(
            ">8sIIQI4sI4sQQHBBII16sB427s", self.cookie, self.features, self.version,
            self.data_offset, self.created, self.creator, self.creator_version, self.host,
            self.original_size, self.size, *self.geometry, self.kind, self.checksum or 0,
            self.uuid, self.saved, self.reserved)
        return data if self.checksum is not None else seal(data, 64)


class Locator(Fields):
    def pack(self):
        return struct.pack(">4sIIIQ", self.code, self.space, self.length, 0, self.offset)


class Header(Fields):
    @classmethod
    def of(cls, entries, block, table):
        return cls(
            cookie=b"cxsparse", data_offset=ONES, table=table, version=0x00010000,
            entries=entries, block=block, checksum=None, parent_uuid=bytes(16), parent_time=0,
            parent_name=b"", locators={}, reserved=bytes(256))

    def pack(self):
        data = struct.pack(
            ">8sQQIIII16sII512s", self.cookie, self.data_offset, self.table, self.version,
            self.entries, self.block, self.checksum or 0, self.parent_uuid, self.parent_time, 0,
            self.parent_name)
        for slot in range(8):
            data += self.locators[slot].pack() if slot in self.locators else bytes(24)
        data += self.reserved
        return data if self.checksum is not None else seal(data, 36)


class Flat:
    """The content of a disk by sector. Absent sectors are zeros."""

    PLAIN = GIB  # up to this size the digest covers the whole content
    PIECE = 64 * KIB

    def __init__(self, size, sectors=()):
        self.size = size
        self.sectors = dict(sectors)

    def put(self, offset, data):
        assert offset % SECTOR == 0 and len(data) % SECTOR == 0
        for at in range(0, len(data), SECTOR):
            if offset + at < self.size:
                self.sectors[(offset + at) // SECTOR] = data[at : at + SECTOR]

    def pieces(self, length):
        """Yields the pieces of this length that are not all zeros, with their offsets."""
        for number in sorted({sector * SECTOR // length for sector in self.sectors}):
            first = number * length // SECTOR
            data = b"".join(self.sectors.get(first + i, bytes(SECTOR))
                            for i in range(length // SECTOR))
            data = data[: self.size - number * length]
            if any(data):
                yield number * length, data

    def digest(self):
        """Returns the name of the method and the digest."""
        total, at = hashlib.sha256(), 0
        if self.size > self.PLAIN:
            for offset, data in self.pieces(self.PIECE):
                total.update(struct.pack(">Q", offset) + data)
            return "sha256-of-pieces", total.hexdigest()
        for offset, data in self.pieces(self.PIECE):
            while at < offset:
                step = min(MIB, offset - at)
                total.update(bytes(step))
                at += step
            total.update(data)
            at += len(data)
        while at < self.size:
            step = min(MIB, self.size - at)
            total.update(bytes(step))
            at += step
        return "sha256", total.hexdigest()


class File:
    """A planned file: bytes at offsets, with holes between."""

    def __init__(self):
        self.pieces = []
        self.length = 0

    def put(self, offset, data):
        self.pieces.append((offset, data))
        self.length = max(self.length, offset + len(data))

    def save(self, path):
        with open(path, "xb") as out:
            out.truncate(self.length)
            for offset, data in self.pieces:
                out.seek(offset)
                out.write(data)
        os.utime(path, (MODIFIED, MODIFIED))


class Ids:
    """Identities, the same for an image in every run."""

    def __init__(self):
        self.begin("")

    def begin(self, name):
        self.name, self.count = name, 0

    def next(self):
        self.count += 1
        return hashlib.md5(f"{self.name} {self.count}".encode()).digest()


ids = Ids()


class Disk:
    """The base of all kinds of disks. self.footer is the last footer, which decides."""

    def __init__(self, size, kind):
        self.flat = Flat(size)
        self.footer = Footer.of(size, kind, ids.next())
        self.tail = None  # bytes in place of the last footer
        self.slack = b""  # bytes before the last footer
        self.behind = b""  # bytes behind the last footer
        self.spoils = []  # bytes that overwrite the finished file
        self.cut = None  # a length of the file other than the right one

    def spoil(self, offset, data):
        self.spoils.append((offset, data))

    def finish(self, file):
        tail = self.footer.pack() if self.tail is None else self.tail
        file.put(file.length, self.slack)
        file.put(file.length, tail + self.behind)
        if self.cut is not None:
            file.pieces = [(at, data[: max(0, self.cut - at)]) for at, data in file.pieces]
            file.length = self.cut
        for offset, data in self.spoils:
            file.put(offset if offset >= 0 else file.length + offset, data)
        return file

    def save(self, path):
        self.lay_out().save(path)


class Fixed(Disk):
    def __init__(self, size):
        super().__init__(size, FIXED)

    def write(self, offset, data):
        self.flat.put(offset, data)

    def lay_out(self):
        file = File()
        for offset, data in self.flat.pieces(SECTOR):
            file.put(offset, data)
        file.length = self.flat.size
        return self.finish(file)


class Block:
    def __init__(self, offset, bitmap_length):
        self.offset = offset  # of its bitmap in the file
        self.bitmap = bytearray(bitmap_length)
        self.pieces = []  # data, with the offset in the block


class Dynamic(Disk):
    """A dynamic disk. Blocks follow each other in the order of their first writes."""

    def __init__(self, size, block=4 * KIB, entries=None, table=1536, header_at=512, first=None,
                 kind=DYNAMIC):
        super().__init__(size, kind)
        entries = -(-size // block) if entries is None else entries
        self.footer.data_offset = header_at
        self.header = Header.of(entries, block, table)
        self.copy = None  # bytes at 0 in place of the footer's copy
        self.padding = 0xFF
        self.changed_entries = {}  # entries that differ from the blocks
        self.blocks = {}
        self.extras = []  # bytes at offsets: locator data, batmaps
        self.next = table + round_up(4 * entries, SECTOR) if first is None else first
        self.bitmap_length = round_up(-(-block // (8 * SECTOR)), SECTOR)

    @property
    def block(self):
        return self.header.block

    def skip(self, length):
        """Leave a gap before the next block."""
        self.next += length

    def allocate(self, number, at=None):
        if number not in self.blocks:
            if at is None:
                at = self.next
            self.blocks[number] = Block(at, self.bitmap_length)
            self.next = at + self.bitmap_length + self.block
        return self.blocks[number]

    def hide(self, offset, data):
        """Put data into blocks and leave the sectors' bits clear."""
        for number, inner, piece in self.by_blocks(offset, data):
            self.allocate(number).pieces.append((inner, piece))

    def write(self, offset, data):
        """Put data into blocks and set the sectors' bits."""
        self.hide(offset, data)
        self.flat.put(offset, data)
        for number, inner, piece in self.by_blocks(offset, data):
            for sector in range(inner // SECTOR, (inner + len(piece)) // SECTOR):
                self.set_bit(number, sector)

    def set_bit(self, number, sector):
        self.allocate(number).bitmap[sector // 8] |= 0x80 >> sector % 8

    def fill_bits(self):
        """Set all bits of all blocks, including those behind the end of the disk."""
        for block in self.blocks.values():
            block.bitmap[: max(1, self.block // SECTOR // 8)] = (
                b"\xFF" * max(1, self.block // SECTOR // 8))

    def by_blocks(self, offset, data):
        assert offset % SECTOR == 0 and len(data) % SECTOR == 0
        while data:
            number, inner = divmod(offset, self.block)
            piece = data[: self.block - inner]
            yield number, inner, piece
            offset, data = offset + len(piece), data[len(piece) :]

    def put(self, offset, data):
        """Put other data into the file."""
        self.extras.append((offset, data))

    def table_bytes(self):
        data = bytearray(struct.pack(">I", FREE) * min(self.header.entries, MIB))
        sectors = {number: block.offset // SECTOR for number, block in self.blocks.items()}
        for number, sector in {**sectors, **self.changed_entries}.items():
            struct.pack_into(">I", data, 4 * number, sector)
        return bytes(data) + bytes([self.padding]) * (-len(data) % SECTOR)

    def lay_out(self):
        file = File()
        file.put(0, self.footer.pack() if self.copy is None else self.copy)
        file.put(self.footer.data_offset, self.header.pack())
        file.put(self.header.table, self.table_bytes())
        file.length = max(file.length,
                          self.header.table + round_up(4 * self.header.entries, SECTOR))
        for block in self.blocks.values():
            file.put(block.offset, bytes(block.bitmap))
            for inner, data in block.pieces:
                file.put(block.offset + self.bitmap_length + inner, data)
            file.length = max(file.length, block.offset + self.bitmap_length + self.block)
        for offset, data in self.extras:
            file.put(offset, data)
        file.length = max(file.length, self.next)
        return self.finish(file)


def windows_path(text):
    """Encode as in W2ru and W2ku: UTF-16, little-endian."""
    return text.encode("utf-16-le", "surrogatepass")


def name_field(text):
    """Encode as in the header's name field: UTF-16, big-endian."""
    return text.encode("utf-16-be", "surrogatepass")


class Child(Dynamic):
    """A differencing disk. It records the identity of its parent, but no name yet."""

    def __init__(self, parent, size=None, block=4 * KIB, **more):
        super().__init__(parent.flat.size if size is None else size, block, kind=DIFFERENCING,
                         **more)
        self.flat = Flat(self.flat.size, parent.flat.sectors)
        self.header.parent_uuid = parent.footer.uuid
        self.header.parent_time = MODIFIED - EPOCH

    def locate(self, code, text, slot=None, at=None, space=None):
        """Add a locator. By default its data goes to the place of the next block."""
        data = text if isinstance(text, bytes) else windows_path(text)
        if slot is None:
            slot = len(self.header.locators)
        if at is None:
            at = self.next
            self.next += round_up(max(len(data), 1), SECTOR)
        self.put(at, data + bytes(-len(data) % SECTOR))
        self.header.locators[slot] = Locator(
            code=code, space=round_up(len(data), SECTOR) if space is None else space,
            length=len(data), offset=at)

    def name(self, text):
        self.header.parent_name = name_field(text)
