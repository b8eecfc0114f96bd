# SPDX-License-Identifier: MIT
"""others.py FOLDER: open the crash states that were left there in other programs.

Each must have the right size in qemu-img, and, where it has a footer at its end, in vhdiinfo: those
without one are the states of a host on which none can be promised while a file grows.
"""

import concurrent.futures
import json
import os
import re
import subprocess
import sys


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


def size_in_qemu(path):
    out = run("qemu-img", "info", "--force-share", "--output=json", "-f", "vpc", path)
    try:
        return json.loads(out)["virtual-size"]
    except (ValueError, KeyError):
        return out


def size_in_libvhdi(path):
    out = run("vhdiinfo", path)
    found = re.search(r"Media size\s*:.*?\(?(\d+) bytes", out)
    return int(found.group(1)) if found else out


def judge(folder, line):
    """What is wrong with one image, as sentences."""
    name, size, has_tail = line.split()
    path = os.path.join(folder, name)
    programs = {"qemu-img": size_in_qemu}
    if has_tail == "1":
        programs["vhdiinfo"] = size_in_libvhdi
    sizes = {program: size_in(path) for program, size_in in programs.items()}
    return [f"{name}: {program} says {got}, expected {size}"
            for program, got in sizes.items() if got != int(size)]


def main(folder):
    with open(os.path.join(folder, "list"), encoding="ascii") as file:
        lines = file.read().splitlines()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [fault for found in pool.map(lambda line: judge(folder, line), lines)
                  for fault in found]
    print("\n".join(faults))
    tails = sum(line.endswith(" 1") for line in lines)
    print(f"{len(lines)} states in qemu-img, {tails} in vhdiinfo: {len(faults)} faults")
    return 1 if faults or not lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
