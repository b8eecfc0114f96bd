#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""skipped.py BUILD_DIR: print the tests that the last `meson test` skipped, with the reasons."""
import json
import os
import re
import sys

REASON = re.compile(r"^SKIPPED: (.*)$", re.M)
PART = re.compile(r"^\[ *SKIPPED *\] (\w+)$", re.M)  # a single test in a program of cmocka


def skips(result):
    """Yields the skipped parts of a test, with the reasons."""
    said = result.get("stdout", "") + result.get("stderr", "")
    name = result["name"].split(" / ")[-1].split(":")[-1].strip()
    if result["result"] == "SKIP":
        reason = REASON.search(said)
        yield name, reason.group(1) if reason else "it gave no reason"
        return
    for part in dict.fromkeys(PART.findall(said)):
        yield f"{name}, {part}", "this machine does not allow it"


def main():
    path = os.path.join(sys.argv[1], "meson-logs", "testlog.json")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as log:
        found = [skip for line in log for skip in skips(json.loads(line))]
    if found:
        print(f"\nSkipped: {len(found)}")
    for name, reason in found:
        print(f"  {name}: {reason}")


main()
