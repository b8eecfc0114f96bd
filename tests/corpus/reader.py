# SPDX-License-Identifier: MIT
"""A strict reader of VHD images, written from the specification. It shares no code with the library
or with the programs that make the corpus. The library must read the same content, and this reader
must find no fault in images that the library has written.

reader.py FILE prints the digest of the disk's content, and the faults of the image.
"""
import hashlib
import os
import struct
import sys
import urllib.parse

SECTOR = 512
FREE = 0xFFFFFFFF
PLAIN = 1 << 30  # larger contents have a digest of their pieces
PIECE = 64 << 10
BITS = [f"{byte:08b}" for byte in range(256)]
OLD_BITS = [bits[::-1] for bits in BITS]


class Unreadable(Exception):
    pass


def checksum(data, at):
    return ~(sum(data) - sum(data[at : at + 4])) & 0xFFFFFFFF


def is_footer(data):
    if data[:8] not in (b"conectix", b"v_poison"):
        return False
    stored = struct.unpack(">I", data[64:68])[0]
    if checksum(data, 64) == stored:
        return True
    # tapdisk 0.1 and 1.1 hid a disk and kept the old checksum.
    is_old = data[28:31] == b"tap" and data[32:36] in (b"\0\0\0\1", b"\0\1\0\1")
    return is_old and checksum(data[:85] + b"\0" + data[86:], 64) == stored


class Image:
    """An image file that is open for reading, with its parents."""

    def __init__(self, path, depth=0):
        if not os.path.isfile(path) or os.path.islink(path):
            raise Unreadable(f"{path} is no file")
        if depth > 64:
            raise Unreadable("too many parents")
        self.path, self.parent = path, None
        self.file = open(path, "rb")  # closed with the image
        self.length = os.fstat(self.file.fileno()).st_size
        self.find_footer()
        (self.data_offset, self.creator, self.creator_version, self.size, self.kind, self.uuid) = (
            struct.unpack(">16x Q4x 4sI4x8x Q4x I4x 16s", self.footer[:84]))
        if self.kind != 2:
            self.read_blocks()
        if self.kind == 4:
            self.find_parent(depth)

    def read(self, offset, length):
        data = os.pread(self.file.fileno(), length, offset)
        if len(data) < length:
            raise Unreadable(f"{self.path} ends within {length} bytes at {offset}")
        return data

    def data(self, start, end):
        """Yields offset and bytes of each sector from start to end that is not all zeros."""
        while start < end:
            try:
                start = max(start, os.lseek(self.file.fileno(), start, os.SEEK_DATA))
            except OSError:  # ENXIO: only a hole follows
                return
            start -= start % SECTOR
            piece = self.read(start, min(PIECE, end - start)) if start < end else b""
            for at in range(0, len(piece), SECTOR):
                if any(piece[at : at + SECTOR]):
                    yield start + at, piece[at : at + SECTOR]
            start += PIECE

    def find_footer(self):
        for length in (512, 511):
            if self.length >= length:
                self.footer = self.read(self.length - length, length).ljust(512, b"\0")
                self.end = self.length - length
                if is_footer(self.footer):
                    return
        if self.length >= SECTOR:
            self.footer, self.end = self.read(0, SECTOR), self.length
            if is_footer(self.footer) and struct.unpack(">I", self.footer[60:64])[0] != 2:
                return
        raise Unreadable(f"{self.path} has no footer")

    def read_blocks(self):
        self.header = self.read(self.data_offset, 1024)
        (cookie, self.table, _, self.entries, self.block, total) = struct.unpack(
            ">8s 8x QIIII", self.header[:40])
        if cookie != b"cxsparse" or checksum(self.header, 36) != total:
            raise Unreadable(f"{self.path} has no header")
        self.count = -(-self.size // self.block)
        if self.count > self.entries:
            raise Unreadable(f"{self.path} has too few entries")
        self.places = dict(self.entries_used(self.read(self.table, 4 * self.count)))
        self.bitmap_length = -(-(self.block // SECTOR) // (8 * SECTOR)) * SECTOR

    @staticmethod
    def entries_used(table):
        for at in range(0, len(table), 4096):
            piece = table[at : at + 4096]
            if piece.count(0xFF) < len(piece):
                for number, sector in enumerate(struct.unpack(f">{len(piece) // 4}I", piece)):
                    if sector != FREE:
                        yield at // 4 + number, sector

    def locators(self):
        """The used ones of the eight slots: code, length, offset and reserved space."""
        for slot in range(8):
            code, space, length, offset = struct.unpack_from(">4sII4xQ", self.header,
                                                             576 + 24 * slot)
            # XO's vhd-lib 4 writes impossible offsets.
            if code == bytes(4) or length == 0 or not SECTOR <= offset <= self.length - length:
                continue
            capacity = space * SECTOR if space < SECTOR else space if space % SECTOR == 0 else length
            yield code, length, offset, max(capacity, length)

    def parent_names(self):
        texts = {}
        for code, length, offset, _ in self.locators():
            if length > 65536:
                continue
            data = self.read(offset, length)
            if code == b"MacX":
                text = urllib.parse.unquote(data.split(b"\0")[0].decode())
            elif code in (b"W2ru", b"W2ku"):
                text = data.decode("utf-16-le", "replace").split("\0")[0]
            else:
                continue
            texts.setdefault(code, text)
        texts[b"name"] = self.header[64:576].decode("utf-16-be", "replace").split("\0")[0]
        for code in (b"W2ru", b"name", b"W2ku", b"MacX"):
            if texts.get(code):
                yield texts[code].replace("\\", "/").rsplit("/", 1)[-1]

    def find_parent(self, depth):
        """Find the parent by its recorded names, beside the child. Upper and lower case of ".vhd"
        are equal."""
        folder = os.path.dirname(self.path) or "."
        files = {file: file for file in os.listdir(folder)}
        files.update({file[:-4] + ".vhd": file for file in files if file.lower().endswith(".vhd")})
        wanted = self.header[40:56]
        for name in self.parent_names():
            if name.lower().endswith(".vhd"):
                name = name[:-4] + ".vhd"
            if name not in files:
                continue
            path = f"{folder}/{files[name]}"
            if wanted == bytes(16) and not name.endswith(".vhd"):
                self.parent = Raw(path)
                return
            self.parent = Image(path, depth + 1)
            if wanted not in (bytes(16), self.parent.uuid):
                raise Unreadable(f"{path} is not the parent of {self.path}")
            if self.parent.size > self.size:  # XenServer's children may be larger
                raise Unreadable(f"{path} is larger than {self.path}")
            return
        raise Unreadable(f"{self.path} has lost its parent")

    def bits(self, number):
        """The bits of a block as text, in the order of its sectors."""
        data = self.read(self.places[number] * SECTOR, self.bitmap_length)
        is_old = self.creator[:3] == b"tap" and self.creator_version == 1
        text = "".join(map((OLD_BITS if is_old else BITS).__getitem__, data))
        return text[: self.block // SECTOR]

    def stretches(self):
        """Yields the data that lies in this file itself: offset and bytes."""
        if self.kind == 2:
            yield from self.data(0, self.size)
            return
        for number, sector in sorted(self.places.items()):
            bits = self.bits(number)
            at = 0
            while at < len(bits):
                run = len(bits) - at - len(bits[at:].lstrip(bits[at]))
                if bits[at] == "1":
                    start = number * self.block + at * SECTOR
                    length = min(run * SECTOR, self.size - start)
                    if length > 0:
                        yield start, self.read(
                            sector * SECTOR + self.bitmap_length + at * SECTOR, length)
                at += run

    def sectors(self):
        """The whole content: the sectors that are not all zeros, by number."""
        found = self.parent.sectors() if self.parent else {}
        for offset, data in self.stretches():
            for at in range(0, len(data), SECTOR):
                piece = data[at : at + SECTOR]
                if any(piece):
                    found[(offset + at) // SECTOR] = piece
                else:
                    found.pop((offset + at) // SECTOR, None)
        return found

    def close(self):
        self.file.close()
        if self.parent:
            self.parent.close()


class Raw:
    """A parent that is a raw file."""

    def __init__(self, path):
        self.path = path

    def sectors(self):
        with open(self.path, "rb") as file:
            data = file.read()
        return {at // SECTOR: data[at : at + SECTOR] for at in range(0, len(data), SECTOR)
                if any(data[at : at + SECTOR])}

    def close(self):
        pass


def sectors_of(path):
    """The content of a disk, and its size."""
    image = Image(path)
    try:
        return image.sectors(), image.size
    finally:
        image.close()


def digest_of(sectors, size):
    """The digest of a content in the format of the expected texts: method and digest."""
    total, at = hashlib.sha256(), 0
    each = PIECE // SECTOR
    for number in sorted({sector // each for sector in sectors}):
        data = b"".join(sectors.get(number * each + i, bytes(SECTOR)) for i in range(each))
        data = data[: size - number * PIECE]
        if size > PLAIN:
            total.update(struct.pack(">Q", number * PIECE) + data)
            continue
        skip_to(total, at, number * PIECE)
        total.update(data)
        at = number * PIECE + len(data)
    if size > PLAIN:
        return f"sha256-of-pieces {total.hexdigest()}"
    skip_to(total, at, size)
    return f"sha256 {total.hexdigest()}"


def skip_to(total, at, end):
    while at < end:
        step = min(1 << 20, end - at)
        total.update(bytes(step))
        at += step


def metadata(image):
    """Yields the places of all that is not a block: name, begin and end."""
    yield "the copy", 0, SECTOR
    yield "the header", image.data_offset, image.data_offset + 1024
    table_end = image.table + -(-4 * image.entries // SECTOR) * SECTOR
    yield "the table", image.table, table_end
    if image.kind == 4:
        for code, _, offset, capacity in image.locators():
            yield f"locator {code.decode()}", offset, offset + capacity
    if image.creator[:3] == b"tap" and image.creator_version >= 0x00010001:
        cookie, offset, count = struct.unpack(">8sQI", image.read(table_end, 20))
        if cookie == b"tdbatmap":
            yield "the batmap's header", table_end, table_end + SECTOR
            yield "the batmap", offset, offset + count * SECTOR


def complaints(path, before=None):
    """Yields the faults of an image that was closed after writing. If the image before is given,
    forbidden changes are faults too.
    """
    image = Image(path)
    old = Image(before) if before else None
    try:
        yield from complaints_of(image, old)
    finally:
        image.close()
        if old:
            old.close()


def is_clean(path):
    """Returns true if opening for writing has nothing to repair."""
    image = Image(path)
    try:
        stored = struct.unpack(">I", image.footer[64:68])[0]
        if list(complaints_of(image, None)) or checksum(image.footer, 64) != stored:
            return False
        return image.kind == 2 or max(end for _, _, end in places_of(image)) == image.end
    finally:
        image.close()


def complaints_of(image, old):
    if image.kind == 2 and old:
        if old.length != image.length:
            yield f"a fixed disk's length went from {old.length} to {image.length}"
        return
    if image.length % SECTOR or image.end != image.length - SECTOR:
        yield f"the file of {image.length} bytes has no whole footer at its end"
        return
    if image.kind == 2:
        return
    if image.read(0, SECTOR) != image.footer:
        yield "the footer's copy differs from the footer"
    taken = sorted((start, end, what) for what, start, end in places_of(image))
    for (_, end, what), (start, _, other) in zip(taken, taken[1:]):
        if start < end:
            yield f"{what} reaches into {other}"
    if taken[-1][1] > image.end:
        yield f"{taken[-1][2]} reaches into the footer"
    yield from complaints_of_bits(image, old)
    if old:
        yield from complaints_of_change(image, old)


def places_of(image):
    yield from metadata(image)
    for number, sector in image.places.items():
        start = sector * SECTOR
        yield f"block {number}", start, start + image.bitmap_length + image.block


def complaints_of_bits(image, old):
    """New blocks must keep our own rules. Bits that have not changed may have any value."""
    for number, sector in image.places.items():
        known = old.bits(number) if old and number in old.places else None
        bits = image.bits(number)
        if bits == known:
            continue
        if image.kind == 4:
            for at in range(0, len(bits), 8):
                byte, was = bits[at : at + 8], known[at : at + 8] if known else "0" * 8
                # All clear is legal too: the block was discarded and allocated again.
                if byte != was and "0" in byte and "1" in byte:
                    yield f"block {number}: sectors {at} to {at + 7} are set in part: {byte}"
                    break
        elif "0" in bits:
            start = sector * SECTOR + image.bitmap_length
            for offset, _ in image.data(start, start + image.block):
                at = (offset - start) // SECTOR
                if bits[at] == "0":
                    yield f"block {number}: sector {at} holds data, and its bit is clear"
                    break


def complaints_of_change(image, old):
    """Parts that no write concerns must be unchanged."""
    if image.header != old.header:
        yield "the header has changed"
    if image.footer[:64] + image.footer[68:511] != old.footer[:64] + old.footer[68:511]:
        yield "the footer has changed"
    if old.entries > old.count:
        length = min(4 * (old.entries - old.count), 1 << 20)
        at = 4 * old.count
        if image.read(image.table + at, length) != old.read(old.table + at, length):
            yield "the surplus entries have changed"
    for what, start, end in metadata(old):
        if what.startswith(("locator", "the batmap")):
            if image.read(start, end - start) != old.read(start, end - start):
                yield f"{what} has changed"


def main():
    content, size = sectors_of(sys.argv[1])
    print(digest_of(content, size))
    for complaint in complaints(sys.argv[1]):
        print(complaint)


if __name__ == "__main__":
    main()
