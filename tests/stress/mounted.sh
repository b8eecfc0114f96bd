#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: many processes that write to mounted disks at once, by file, mapping or O_DIRECT,
# would lose data or damage the image.
#
# Usage: mounted.sh cached|every-way|full
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount/mount.sh"

way=$1
seed=${VHD_STRESS_SEED:-$(date +%s)}
kinds="chain partial dynamic fixed"

# kind NUMBER: the kind with this number, modulo four.
kind()
{
    echo "$kinds" | cut -d ' ' -f $(($1 % 4 + 1))
}

host=$tmp
if [ "$way" = full ]; then
    loop_mount 160 "$tmp/host" mkfs.ext4 -q -m 0
    host=$tmp/host
    store=$host/store
fi
mkdir "$store" "$tmp/expected"
"$VHD_STRESS_IMAGES" make "$store" a "$(kind "$seed")" "$seed" || fail "no disk a"
"$VHD_STRESS_IMAGES" make "$store" b "$(kind $((seed / 4)))" $((seed + 1)) || fail "no disk b"

start_vhdfs
set -- "$way" -s "$seed" -d "$mnt/disks" -e "$tmp/expected"
[ "$way" != full ] || set -- "$@" -g "$host"
"$VHD_STRESS_FILES" "$@" || fail "seed $seed"
stop_vhdfs

for disk in a b; do
    "$VHD_STRESS_IMAGES" check "$store" $disk "$tmp/expected/$disk" || fail "disk $disk, seed $seed"
done
