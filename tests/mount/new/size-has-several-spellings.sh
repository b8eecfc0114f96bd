#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: a request that the manual allows would be refused, or make a disk of another size.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

start_vhdfs
count=0

# makes REQUEST BYTES
makes()
{
    count=$((count + 1))
    expect "done" "$(answer "$mnt/new/d$count" "$1")" "request \"$1\""
    expect "$2" "$(value "$mnt/disks/d$count/info" bytes)" "bytes of \"$1\""
}

mb=$((1 << 20))
tab=$(printf '\t')
cr=$(printf '\r')
makes 3 $((3 * mb))
makes 3M $((3 * mb))
makes 4096 $((4096 * mb))
makes 1G $((1024 * mb))
makes 2040G $((2040 * 1024 * mb))
makes 1T $((1 << 40))
makes 2088960 $((2088960 * mb))
makes 4096m $((4096 * mb))
makes 4GB $((4096 * mb))
makes 4GiB $((4096 * mb))
makes 1.5G $((1536 * mb))
makes 0.5T $((512 * 1024 * mb))
makes "4096 MB" $((4096 * mb))
makes "1.5 gib type=dynamic" $((1536 * mb))
makes '"4096 MB"' $((4096 * mb))
makes "'40' type=dynamic" $((40 * mb))
makes " 40" $((40 * mb))
makes "40 " $((40 * mb))
makes "$tab 40$tab" $((40 * mb))
makes "40$cr" $((40 * mb))
makes "40$cr
" $((40 * mb))
makes "40
" $((40 * mb))
makes "40

" $((40 * mb))
makes "40 type=dynamic" $((40 * mb))
makes "40${tab}type=dynamic  uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 " $((40 * mb))
expect 8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 "$(cat "$mnt/disks/d$count/uuid")" "uuid as asked for"

# A request accepts the size that a disk shows.
makes "$(cat "$mnt/disks/d1/size")" $((3 * mb))
makes 4194816B 4194816
expect 4194816B "$(cat "$mnt/disks/d$count/size")" "size that is no whole MB"
makes "$(cat "$mnt/disks/d$count/size")" 4194816

# A refusal shows the text of the request, the expected form and an example.
refused=$(answer "$mnt/new/x" 4,096)
expect "write EINVAL" "$refused" "request with a comma"
for request in 4.5 1.3G 4096K "4096 KB" '"4096' 0 -1 x "type=dynamic" "4096 type=fix"; do
    expect "write EINVAL" "$(answer "$mnt/new/x" "$request")" "request \"$request\""
    tail -n 1 "$mnt/errors" | grep -q '; write .*such as' ||
        fail "no example for \"$request\": $(tail -n 1 "$mnt/errors")"
done
