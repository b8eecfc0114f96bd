#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: with some tool a script would go on after a refused request, or nobody could find
# the reason.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

long=$(printf '%0252d' 0)

start_vhdfs
echo 40 >"$mnt/new/there" || fail "cannot make a disk"
"$python" -I -S "$here/refusals.py" "$mnt" "$store" "$tmp" \
    'd|forty|EINVAL|E_INVALIDARG|record' \
    'd|0|EINVAL|E_INVALIDARG|record' \
    'd|-5|EINVAL|E_INVALIDARG|record' \
    'd|40 colour=red|EINVAL|E_INVALIDARG|record' \
    'd|2|ERANGE|VM_E_IMAGE_SIZE_TOO_SMALL|record' \
    'd|2088961|ERANGE|VM_E_IMAGE_SIZE_TOO_LARGE|record' \
    'd|99999999999999999999|ERANGE|VM_E_IMAGE_SIZE_TOO_LARGE|record' \
    'a~|40|EINVAL|E_INVALID_NAME|none' \
    'NUL|40|EINVAL|E_INVALID_NAME|none' \
    '.d|40|EINVAL|E_INVALID_NAME|none' \
    "$long|40|ENAMETOOLONG|E_BUFFER_OVERFLOW|none" \
    'there|40|EEXIST|E_ALREADY_EXISTS|none' || fail "on a store as any other"
