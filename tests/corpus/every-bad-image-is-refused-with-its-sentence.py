#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: a user could open a damaged or hostile image and read wrong data, or could not
# learn what is wrong with it.
#
# Each bad disk of the corpus is opened through the library, for reading and for writing. The
# sentence and the outcome must be the expected ones, and no file may change.
import corpus

def check_disk(store, name, facts):
    wanted = f"{corpus.errno_of(facts)} {facts['result']} the disk \"{name}\": {facts['fault']}\n"
    # Each disk of a ring is also the other's child, so a writer gets another answer.
    for mode in ("read",) if name == "ring-of-two" else ("read", "write"):
        done = corpus.flat(store, name, mode)
        corpus.expect(1, done.returncode, f"exit status, to {mode}")
        corpus.expect(wanted, done.stderr.decode(), f"what is said, to {mode}")
        corpus.expect(b"", done.stdout, f"content, to {mode}")


def test(folder):
    store, cases = f"{folder}/bad", corpus.texts("bad")
    before = corpus.Files(store)
    corpus.each(cases, lambda name, facts: check_disk(store, name, facts))
    corpus.expect([], before.changed(), "files changed by looking")
    return f"{len(cases)} images, each refused as expected"


corpus.run(test)
