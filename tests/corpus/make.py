#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the corpus: make.py FOLDER

FOLDER/good and FOLDER/bad receive the images, each named after the function that makes it, and
their other files. The texts good/NAME.txt and bad/NAME.txt beside this program say the expected
result. The program fails if an image differs from its text. Images of programs that no test can
call are packed here as NAME.vhd.xz.

`make.py --describe` writes the texts again, except those of packed images. Review each change.
"""
import lzma
import os
import sys

import images_bad
import images_bad_table
import images_chain
import images_child
import images_dynamic
import images_fixed
import images_footer
import images_orphan
import images_tapdisk
from case import BAD, GOOD, save, text_of

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = (images_bad, images_bad_table, images_chain, images_child, images_dynamic, images_fixed,
           images_footer, images_orphan, images_tapdisk)
KINDS = {"good": GOOD, "bad": BAD}
PACKED, TEXT = ".vhd.xz", ".txt"


def text_path(kind, name):
    return f"{HERE}/{kind}/{name}{TEXT}"


def names(kind, ending):
    """The names of the files here with this ending."""
    files = os.listdir(f"{HERE}/{kind}")
    return {file[: -len(ending)] for file in files if file.endswith(ending)}


def describe():
    for kind, cases in KINDS.items():
        os.makedirs(f"{HERE}/{kind}", exist_ok=True)
        for stale in names(kind, TEXT) - cases.keys() - names(kind, PACKED):
            os.unlink(text_path(kind, stale))
        for name, case in cases.items():
            with open(text_path(kind, name), "w", encoding="utf-8") as out:
                out.write(text_of(case, case.build()[0]))


def make(folder):
    for kind, cases in KINDS.items():
        odd = names(kind, TEXT) ^ (cases.keys() | names(kind, PACKED))
        if odd:
            sys.exit(f"without text or without image: {sorted(odd)}")
        os.makedirs(f"{folder}/{kind}")
        for name in names(kind, PACKED):
            with lzma.open(f"{HERE}/{kind}/{name}{PACKED}") as packed:
                save(packed.read(), f"{folder}/{kind}/{name}.vhd")
        for name, case in cases.items():
            disk = case.save(f"{folder}/{kind}")
            with open(text_path(kind, name), encoding="utf-8") as file:
                if file.read() != text_of(case, disk):
                    sys.exit(f"{kind}/{name} is not what its text says")


def main():
    assert MODULES
    if sys.argv[1:] == ["--describe"]:
        describe()
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        make(sys.argv[1])
    else:
        sys.exit("usage: make.py FOLDER | make.py --describe")


if __name__ == "__main__":
    main()
