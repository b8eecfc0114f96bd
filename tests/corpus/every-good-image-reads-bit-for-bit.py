#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: a disk from another program would read with wrong bytes or not at all, or reading
# would change its image.
#
# Each good disk is read by the corpus' own reader and through the library, in pieces of several
# sizes and by SEEK_DATA and SEEK_HOLE. No file may change.
import corpus
import reader

WHOLE, SMALL = 64 << 20, 1 << 20  # largest disks to read whole, and in odd pieces


def check_disk(store, name, facts):
    content = reader.sectors_of(f"{store}/{name}.vhd")
    corpus.expect(corpus.digest_wanted(facts), reader.digest_of(*content), "the corpus' reader")
    corpus.expect(int(facts["bytes"]), content[1], "size")
    corpus.expect_content(content, corpus.read_data(store, name), "read by what seek tells")
    if content[1] <= WHOLE:
        corpus.expect_content(content, corpus.read_whole(store, name), "read in large pieces")
    if content[1] <= SMALL:
        for piece in (512, 1000, 4097, 65536 + 512):
            corpus.expect_content(content, corpus.read_whole(store, name, piece),
                                  f"read by {piece} bytes")


def test(folder):
    store, cases = f"{folder}/good", corpus.texts("good")
    before = corpus.Files(store)
    corpus.each(cases, lambda name, facts: check_disk(store, name, facts))
    corpus.expect([], before.changed(), "files changed by reading")
    return f"{len(cases)} disks, each as expected"


corpus.run(test)
