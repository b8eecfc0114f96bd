#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: a line that somebody writes, or a part of an image that somebody else has made,
# could crash the daemon, make it read what is none of its own, or break a promise of the library.
#
# targets-do-no-harm.py TARGET RUNS: gives the target, the program DRIVE, its seeds and RUNS inputs
# that are made of them. VHD_SEED chooses them; it is random, and printed.
import os
import random
import subprocess
import sys

sys.path.insert(0, os.environ["CORPUS"])
import corpus  # noqa: E402
import seeds  # noqa: E402

target, runs = sys.argv[1:]


def test(folder):
    seed = int(os.environ.get("VHD_SEED") or random.SystemRandom().randrange(2**32))
    print(f"VHD_SEED={seed}", flush=True)
    store = os.path.join(folder, "good")
    places = seeds.folders(target, folder, os.path.join(folder, "seeds"))
    done = subprocess.run([os.environ["DRIVE"], runs, str(seed), *places], capture_output=True,
                          check=False, env={**os.environ, "VHD_FUZZ_STORE": store})
    if done.returncode != 0:
        raise corpus.Fault(done.stderr.decode(errors="replace"))
    return done.stdout.decode().strip()


corpus.run(test)
