#!/usr/bin/env python3
# If this failed: a disk that another program has made would read other bytes here than its maker
# has put in, or not at all; or looking at it would change it.
#
# The corpus is made; each good disk is read by the corpus' own reader and through the library: in
# pieces of several sizes, and by SEEK_DATA and SEEK_HOLE. Then no file may have changed.
import corpus
import reader

WHOLE, SMALL = 64 << 20, 1 << 20  # sizes up to which a disk is read whole, and in odd pieces


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
