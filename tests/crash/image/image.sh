#!/bin/sh
# SPDX-License-Identifier: MIT
# image.sh TABLE: the crash images of a table of workloads, in every state that a cut can leave them
# in; then some of them in other programs.
#
# If this failed: after a power cut or kill -9 a disk would not open, here or in QEMU or libvhdi, or
# would have lost what had been synced. (VHD_IMAGE judges the states; with VHD_CRASH_EFFORT=full it
# tries far more of them, with brief only those of one class of hosts.)
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"

here=$(cd "$(dirname "$0")" && pwd)
case ${VHD_CRASH_EFFORT-quick} in
full) effort=--full sample=150 ;;
brief) effort='--host A' sample=10 ;;
*) effort='' sample=20 ;;
esac

mkdir "$tmp/sample"
# shellcheck disable=SC2086 # no word at all when there is none
"$VHD_IMAGE" $effort --sample "$tmp/sample" "$sample" "$1" || fail "a state is bad"
need_command python3 qemu-img vhdiinfo
python3 "$here/others.py" "$tmp/sample" || fail "other programs do not take a state"
