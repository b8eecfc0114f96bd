#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: a bad image in a store could crash the daemon, make it hang, use memory without
# limit, or lose data.
#
# The program SPOIL spoils images of the corpus for VHD_FUZZ_SECONDS or 20 seconds. The seed is
# VHD_SEED or random; it is printed, and after a failure the one of the last image.
import os
import random
import subprocess
import sys

sys.path.insert(0, os.environ["CORPUS"])
import corpus  # noqa: E402


def test(folder):
    seed = int(os.environ.get("VHD_SEED") or random.SystemRandom().randrange(2**32))
    seconds = os.environ.get("VHD_FUZZ_SECONDS") or "20"
    print(f"VHD_SEED={seed}", flush=True)
    done = subprocess.run([os.environ["SPOIL"], f"{folder}/good", str(seed), seconds],
                          capture_output=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").splitlines()
        last = max(i for i, line in enumerate(lines) if line.startswith("seed ") or i == 0)
        raise corpus.Fault("\n".join([f"exit status {done.returncode}"] + lines[last:]))
    return done.stdout.decode().strip()


corpus.run(test)
