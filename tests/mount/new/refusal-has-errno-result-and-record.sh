#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a refused request would have another errno, result or record than the manual says.
# A script could not tell a typing error from a size out of range.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
count=0
cat >"$tmp/program" <<'END'
import os, re, sys

sys.path.insert(0, sys.argv[1])
from answer import answer

mnt, prefix, wanted, result, *requests = sys.argv[2:]


def read(path):
    with open(f"{mnt}/{path}", encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def expect(wanted, got, what):
    if wanted != got:
        sys.exit(f"FAILED: {what} of \"{request}\": expected {wanted!r}, got {got!r}")


for number, request in enumerate(requests):
    name = f"{prefix}{number}"
    task = f"tasks/{name}"
    expect(f"write {wanted}", answer(f"{mnt}/new/{name}", os.fsencode(request)), "answer")
    expect("failed\n", read(f"{task}/state"), "state")
    expect(f"{wanted}\n", read(f"{task}/errno"), "errno")
    expect([result], re.findall("^0x[0-9A-F]{8} (.*)", read(f"{task}/result")), "result")
    sentence = read(f"{task}/error")
    expect(False, sentence in ("-\n", "\n", ""), "no sentence")
    told = read("errors").splitlines(keepends=True)[-1].split(" ", 1)[1]
    expect(f"new/{name} {wanted} {result} {sentence}", told, "the refusal")
print(f"{len(requests)} requests refused with {wanted} {result}")
END

# refused ERRNO RESULT REQUEST...
refused()
{
    count=$((count + 1))
    "$python" -I -S -B "$tmp/program" "$here" "$mnt" "r$count-" "$@" || exit 1
}

refused EINVAL E_INVALIDARG " " "
" x forty -40 -1 0 00 0G 0x40 40.5 40,5 +40 4e3 40MM 40K 40P "40 K" G \
    "40 41" "40 colour" "40 colour=red" "40 =" "40 type" "40 type=" "40 type=banana" "40 Type=dynamic" \
    "40 type=dynamic type=dynamic" "40 uuid=1" "40 uuid=" "40 uuid=00000000-0000-0000-0000-000000000000" \
    "40 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6" \
    "type=dynamic" "40
41" "40;" "40 #"
refused ERANGE VM_E_IMAGE_SIZE_TOO_SMALL 1 2 2M 3145727B 512B
refused ERANGE VM_E_IMAGE_SIZE_TOO_LARGE 2088961 2041G 2T 2040T 2190433321472B \
    18446744073709551615 18446744073709551616 18446744073709551620 17592186044420 \
    99999999999999999999999999999999 9007199254740992G

# Syntax is checked before sizes.
refused EINVAL E_INVALIDARG "2 colour=red" "3000000 type=banana"

expect "" "$(ls "$store")" "the store"
expect "" "$(ls "$mnt/disks")" "the disks"
