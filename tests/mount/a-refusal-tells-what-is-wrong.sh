#!/bin/sh
# If this failed: a request that cannot be carried out would be answered by another errno, result or
# record than the manual's, so a script could not tell a typing error from a size out of range.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/mount.sh"

start_vhdfs
count=0

# refused REQUEST ERRNO RESULT
refused()
{
    count=$((count + 1))
    name=r$count
    expect "write $2" "$(answer "$mnt/new/$name" "$1")" "request \"$1\""
    expect "failed" "$(cat "$mnt/tasks/$name/state")" "state of \"$1\""
    expect "$2" "$(cat "$mnt/tasks/$name/errno")" "errno of \"$1\""
    expect "$3" "$(sed -n 's/^0x[0-9A-F]\{8\} //p' "$mnt/tasks/$name/result")" "result of \"$1\""
    [ "$(cat "$mnt/tasks/$name/error")" != - ] || fail "no sentence for \"$1\""
    expect "new/$name $2 $3 $(cat "$mnt/tasks/$name/error")" "$(tail -n 1 "$mnt/errors" | cut -d ' ' -f 2-)" \
        "the refusal of \"$1\""
}

for text in "" " " "
" x forty -40 -1 0 00 0G 0x40 40.5 40,5 +40 4e3 40MB 40m 40K 40P "40 M" G \
    "40 41" "40 colour" "40 colour=red" "40 =" "40 type" "40 type=" "40 type=banana" "40 Type=dynamic" \
    "40 type=dynamic type=dynamic" "40 uuid=1" "40 uuid=" "40 uuid=00000000-0000-0000-0000-000000000000" \
    "40 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6 uuid=8f2b6a1c-52de-4c11-9d0e-3b7a90c4d5e6" \
    "type=dynamic" "40
41" "40;" "40 #"; do
    [ -z "$text" ] || refused "$text" EINVAL E_INVALIDARG
done
for text in 1 2 2M 3145727B 512B; do
    refused "$text" ERANGE VM_E_IMAGE_SIZE_TOO_SMALL
done
for text in 2088961 2041G 2T 2040T 2190433321472B 18446744073709551615 18446744073709551616 \
    18446744073709551620 17592186044420 99999999999999999999999999999999 9007199254740992G; do
    refused "$text" ERANGE VM_E_IMAGE_SIZE_TOO_LARGE
done

# Syntax is judged before figures.
refused "2 colour=red" EINVAL E_INVALIDARG
refused "3000000 type=banana" EINVAL E_INVALIDARG

expect "" "$(ls "$store")" "the store"
expect "" "$(ls "$mnt/disks")" "the disks"
