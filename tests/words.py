#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""If this failed: retired words or identifiers would come back, and a newcomer would read sentences
twice. It finds them, some patterns of English, and sentences of more than 40 words in comments.

usage: words.py [SOURCE_ROOT]
"""
import os
import re
import subprocess
import sys

LONGEST = 40  # words in a sentence

# Words that are not ordinary English, or had too many meanings. lib/README.md, lib/disk/README.md
# and fs/README.md explain their successors.
RETIRED = re.compile(
    r"granule|\bgrace\b|_grace\b|\bsalvage|\bparking\b|\bparked\b|\bemptying\b|\bemptier\b|\bbeliev(?:e|es|ed|ing)\b"
    r"|\bdoubt|hindrance|\bcarve|\b(?:look|take|settle)_[a-z]"
    r"|[a-z]_(?:look|settle)\b|\brooms?_?\b", re.IGNORECASE)
PATTERNS = re.compile(
    r"\b(?:is|are|was|were) told\b|\bcomes? to nothing\b|\bwhoever\b|\banew\b|\bis had\b|\bhas it\b",
    re.IGNORECASE)
PROSE = (".md", ".1")
CODE = (".c", ".h")
SCRIPTS = (".sh", ".py", "meson.build")


def tracked(root):
    """The files to read. Without git, as in a tarball, all files here."""
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=True)
        return [name for name in listed.stdout.decode().split("\0") if name]
    except (FileNotFoundError, subprocess.CalledProcessError):
        pass
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".", "build"))]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return found


def comments(name, text):
    """Yields the comments of a source: the number of the first line, and the text."""
    if name.endswith(CODE):
        for found in re.finditer(r"/\*.*?\*/", text, re.DOTALL):
            lines = re.sub(r"^\s*\*(?!/)", "", found.group()[2:-2], flags=re.MULTILINE)
            yield text.count("\n", 0, found.start()) + 1, lines
    else:
        for found in re.finditer(r"(?:^[ \t]*#(?!!)[^\n]*\n)+", text, re.MULTILINE):
            yield text.count("\n", 0, found.start()) + 1, re.sub(r"^[ \t]*#", "", found.group(),
                                                                 flags=re.MULTILINE)


def sentences(text):
    """Splits text into sentences. A table is no sentence. A blank line, a column or a colon ends
    one."""
    for piece in re.split(r"\n[ \t]*\n|\n {3,}\S", text):
        if not re.search(r"\S {2,}\S", piece):
            yield from re.split(r"(?<=[.;:!?])\s", piece)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    complaints, read = [], 0
    for name in tracked(root):
        if name == "tests/words.py" or not name.endswith(CODE + SCRIPTS + PROSE):
            continue
        with open(os.path.join(root, name), encoding="utf-8") as file:
            text = file.read()
        read += 1
        for number, line in enumerate(text.splitlines(), 1):
            for found in (RETIRED.search(line), PATTERNS.search(line)):
                if found:
                    complaints.append(f"{name}:{number}: \"{found.group()}\"")
        if not name.endswith(PROSE):
            for number, comment in comments(name, text):
                for sentence in sentences(comment):
                    words = len(sentence.split())
                    if words > LONGEST:
                        complaints.append(f"{name}:{number}: a sentence of {words} words")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if read == 0:
        complaints.append("nothing read")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
