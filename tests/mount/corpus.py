# SPDX-License-Identifier: MIT
"""Check the corpus through a mount: corpus.py MOUNTPOINT good|bad. CORPUS names its folder.

For a good disk, `info` must show the values of its expected text, `raw` must read with its digest,
and `fixed.vhd` must be the same with a footer. For a bad disk, `info` must show the fault, and
`raw` must not open.
"""
import errno
import os
import sys

sys.path.insert(0, os.environ["CORPUS"])
import corpus  # noqa: E402
import reader  # noqa: E402

SMALL = 16 << 20  # largest disks to read whole
FIXED = 2


def info_of(disk):
    with open(f"{disk}/info", encoding="utf-8") as file:
        return dict(line.split(" ", 1) for line in file.read().splitlines())


def check_facts(disk, facts):
    info = info_of(disk)
    for key, wanted in facts.items():
        if not key.startswith("sha256") and key != "result":
            corpus.expect(wanted, info[key], f"info: {key}")


def whole(path):
    with open(path, "rb", buffering=0) as file:
        return file.readall()


def check_fixed(disk, content):
    size = len(content)
    data = whole(f"{disk}/fixed.vhd")
    corpus.expect(size + 512, len(data), "fixed.vhd: length")
    if not data.startswith(content):
        raise corpus.Fault("fixed.vhd: another content than raw's")
    footer = data[size:]
    if not reader.is_footer(footer):
        raise corpus.Fault("fixed.vhd: no footer at its end")
    corpus.expect(FIXED, int.from_bytes(footer[60:64], "big"), "fixed.vhd: type")
    corpus.expect(size, int.from_bytes(footer[48:56], "big"), "fixed.vhd: size")


def check_good(disk, facts):
    check_facts(disk, facts)
    size, wanted = int(facts["bytes"]), corpus.digest_wanted(facts)
    corpus.expect(size, os.stat(f"{disk}/raw").st_size, "raw: size")
    with open(f"{disk}/raw", "rb") as file:
        sectors = corpus.sectors_of(file, size)
    corpus.expect(wanted, reader.digest_of(sectors, size), "raw, by SEEK_DATA")
    if size <= SMALL:
        content = whole(f"{disk}/raw")
        corpus.expect_content((sectors, size), (corpus.sectors_in(content, 0), len(content)),
                              "raw, read whole")
        check_fixed(disk, content)


def check_bad(disk, facts):
    check_facts(disk, facts)
    for file in ("raw", "fixed.vhd"):
        try:
            os.close(os.open(f"{disk}/{file}", os.O_RDONLY))
        except OSError as refusal:
            corpus.expect(corpus.errno_of(facts), errno.errorcode[refusal.errno], f"opening {file}")
        else:
            raise corpus.Fault(f"{file} opens")


def main():
    mountpoint, kind = sys.argv[1:]
    cases = corpus.texts(kind)
    check = check_good if kind == "good" else check_bad
    try:
        corpus.each(cases, lambda name, facts: check(f"{mountpoint}/disks/{name}", facts))
    except corpus.Fault as fault:
        sys.exit(f"FAILED: {fault}")
    print(f"{len(cases)} {kind} images, each as expected")


main()
