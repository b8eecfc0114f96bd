#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# If this failed: a check would call a disk of another program damaged, or pass a damaged one; or a
# repair would lose content, or change disks that need none.
#
# Each image is checked, then repaired in a copy of its store, then checked again. Good images have
# the findings below and no others. After a repair each image reads as before, if it could be read,
# and other programs open what a check passes.
import os
import shutil
import subprocess

import corpus
import reader

TOOL_7Z = next(filter(shutil.which, ("7zz", "7z")), None)

# Good images that a strict reader refuses or misreads.
FINDINGS = {
    "bitmap-all-clear": "block 3 data",
    "bitmap-every-other-bit": "block 0 data",
    "bitmap-of-tapdisk-0-1": "file bitmaps; block 0 data",
    "bitmap-of-two-sectors-partly-set": "block 0 data",
    "bitmap-partly-set": "block 0 data; block 1 data",
    "bitmap-partly-set-in-2-mib": "block 0 data; block 1 data",
    "child-larger-and-touched": "parent time",
    "child-of-another-time": "parent time",
    "child-that-lost-its-footer": "footer lost",
    "child-with-hostile-locators": "; ".join(
        f"locator {slot} {kind}" for slot in range(1, 7) for kind in ("space", "outside")),
    "child-with-space-of-a-length": "locator 1 space",
    "child-with-space-of-nothing": "locator 1 space",
    "copy-of-another-kind": "copy differs",
    "copy-of-another-size": "copy differs",
    "copy-of-zeros": "copy lost",
    "copy-with-a-wrong-checksum": "copy checksum",
    "disabled-by-blktap": "footer disabled",
    "features-of-all-kinds": "footer reserved; footer id",
    "fixed-data-offset-of-32-bits": "footer offset",
    "fixed-disabled-by-blktap": "footer disabled",
    "fixed-features-of-all-kinds": "footer reserved; footer id",
    "fixed-features-of-no-kind": "footer features",
    "fixed-footer-of-511-bytes": "footer short",
    "fixed-geometry-too-large": "footer geometry",
    "fixed-original-size-differs": "footer size",
    "footer-cut-in-half": "footer lost",
    "footer-cut-off": "footer lost",
    "footer-followed-by-zeros": "footer lost",
    "footer-of-0xc7": "footer lost",
    "footer-of-511-bytes": "footer short",
    "footer-of-zeros": "footer lost",
    "footer-overwritten-by-a-block-of-zeros": "footer lost",
    "footer-with-a-wrong-checksum": "footer checksum; copy differs",
    "geometry-as-large-as-can-be": "footer geometry",
    "geometry-larger-by-virtual-pc": "footer geometry",
    "header-data-offset-of-32-bits": "header offset",
    "hidden-by-tapdisk-0-1": "footer checksum; file bitmaps",
    "hidden-by-tapdisk-1-1": "footer checksum",
    "original-size-larger": "footer size",
    "original-size-smaller": "footer size",
    "parent-in-a-dynamic-disk": "header parent",
    "reserved-bytes-of-noise": "footer reserved; footer reserved; header reserved",
    "table-of-four-billion-entries": "table surplus",
    "table-with-a-surplus-entry": "table surplus",
    "table-with-many-surplus-entries": "table surplus",
    "table-with-surplus-entries-of-noise": "table surplus",
    "xo-4.15-child": "footer geometry; locator 1 overlap",
    "xo-4.15-dynamic": "footer geometry",
    "xo-4.15-merged": "footer geometry",
    "xo-4.15-streamed": "footer geometry",
}

# Their content was in part their own metadata.
OVER_METADATA = ("block-over-copy", "block-over-footer", "fixed-too-short")

# The corpus' own reader takes minutes for its two billion entries.
TOO_LONG = ("table-that-is-a-hole",)


def verb(store, command, names):
    """Do a verb to disks. Returns the outcome and the lines of the report for each."""
    done = subprocess.run([os.environ["VERB"], store, command, *names], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)
    found = {}
    for line in corpus.must(done, command).decode(errors="replace").splitlines():
        if line.startswith(" "):
            found[name][1].append(line[1:])
        else:
            name, outcome, _ = line.split("\t", 2)
            found[name] = (outcome, [])
    return found


def disks_of(store):
    return sorted(file[:-4] for file in os.listdir(store) if file.lower().endswith(".vhd")
                  and os.path.isfile(f"{store}/{file}") and not os.path.islink(f"{store}/{file}"))


def findings_of(lines):
    """The places and kinds of the findings."""
    words = [" ".join(line.split()[: 3 if line.split()[1].isdigit() else 2]) for line in lines]
    return "; ".join(word for word in words if not word.endswith((" remark", " repaired")))


def content_of(path):
    """What the corpus' own reader finds; None if it cannot read the image."""
    try:
        return reader.sectors_of(path)
    except (reader.Unreadable, OSError, OverflowError, MemoryError, ValueError, ZeroDivisionError):
        return None


def bytes_of(path):
    """The sectors of a file that hold data, and its length."""
    with open(path, "rb") as file:
        length = os.fstat(file.fileno()).st_size
        return corpus.sectors_of(file, length), length


def check_readers(path):
    """Other programs open a disk that a check passes."""
    image = reader.Image(path)
    commands = [["vhdiinfo", path]]
    if image.kind == 3 and image.block >= 4096:
        commands.append(["qemu-img", "info", "-f", "vpc", path])
    for command in commands:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != 0:
            raise corpus.Fault(f"{command[0]} does not open it: {done.stderr.decode()[-200:]}")


def check_one(store, repaired, name, verdicts):
    before, repair, after = verdicts
    clean, path, now = before[0] == "S_OK", f"{store}/{name}.vhd", f"{repaired}/{name}.vhd"
    corpus.expect("S_OK" if after[0] == "S_OK" else "VM_E_INVALID_HD_FILE", repair[0],
                  f"outcome of the repair, {repair[1]}")
    is_same = bytes_of(path) == bytes_of(now)
    has_slack = any("slack lie" in line for line in before[1])
    if clean and not has_slack:
        corpus.expect((True, []), (is_same, [line for line in repair[1] if "repaired" in line]),
                      "a clean image is not changed")
    corpus.expect(is_same, not os.path.exists(f"{repaired}/.{name}.vhd.before-repair"),
                  "no old metadata")
    content = None if name in OVER_METADATA + TOO_LONG else content_of(path)
    if content:
        corpus.expect_content(content, content_of(now), "the content after the repair")
    if after[0] == "S_OK" and not is_same:
        check_readers(now)


def check_store(folder, kind):
    store, repaired = f"{folder}/{kind}", f"{folder}/{kind}-repaired"
    corpus.copy_of(store, repaired)
    names = [name for name in disks_of(store) if os.path.exists(f"{store}/{name}.vhd")]
    files = corpus.Files(store)
    before = verb(store, "check", names)
    corpus.expect([], files.changed(), "files changed by a check")
    # Children first: a repair leaves the times of parents that have children.
    repair = verb(repaired, "repair", names)
    after = verb(repaired, "check", names)
    corpus.each({name: (before[name], repair[name], after[name]) for name in names},
                lambda name, verdicts: check_one(store, repaired, name, verdicts))
    return before


def test(folder):
    corpus.need_commands("qemu-img", "vhdiinfo")
    good, bad = check_store(folder, "good"), check_store(folder, "bad")

    def check_good(name, facts):
        corpus.expect(FINDINGS.get(name, ""), findings_of(good[name][1]), "findings")

    def check_bad(name, facts):
        corpus.expect("VM_E_INVALID_HD_FILE", bad[name][0], f"outcome, {bad[name][1]}")

    corpus.each(corpus.texts("good"), check_good)
    corpus.each(corpus.texts("bad"), check_bad)
    return f"{len(good) + len(bad)} images"


corpus.run(test)
