#!/bin/sh
# SPDX-License-Identifier: MIT
# If this failed: somebody who takes over the daemon, say by a hostile image, would reach other files
# and processes of its user, the network or the kernel. takeover.c plays that somebody.
# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../../functions.sh"
# shellcheck source=tests/mount/mount.sh
. "$(dirname "$0")/../mount.sh"

[ "$sanitized" = no ] || skip "a sanitizer has to come first"
mkdir "$tmp/victim" "$store"
echo secret >"$tmp/victim/secret"
echo bait >"$store/bait"
behind sleep 600
other=$!
printf '#!/bin/sh\nexec env LD_PRELOAD=%s TAKEOVER_REPORT=%s TAKEOVER_VICTIM=%s TAKEOVER_PROCESS=%s %s "$@"\n' \
    "$TAKEOVER" "$store/report" "$tmp/victim" "$other" "$VHDFS" >"$tmp/taken-over"
chmod +x "$tmp/taken-over"
VHDFS=$tmp/taken-over
start_vhdfs
echo 64 >"$mnt/new/d" || fail "cannot make a disk"

# outcome WHAT: what the report says of it
outcome()
{
    sed -n "s,^$1: ,,p" "$store/report"
}

grep -q '^new rights: ' "$store/report" || fail "the report is not whole: $(cat "$store/report")"
expect 'done' "$(outcome 'write in the store')" "a write in the store"
expect 'done' "$(outcome 'read /proc')" "a read of /proc"
has_ended "$other" && fail "it has killed another process: $(cat "$store/report")"
case $(cat "$mnt/version") in
*"no landlock"*)
    sed -n '/^execve: /,$p' "$store/report" >"$tmp/rest" || fail "cannot read the report"
    ;;
*)
    cp "$store/report" "$tmp/rest" || fail "cannot read the report"
    expect secret "$(cat "$tmp/victim/secret")" "a file outside"
    expect secret "$(ls "$tmp/victim")" "the files outside"
    expect "allowed bait d.vhd report" "$(cd "$store" && echo *)" "the files in the store"
    ;;
esac
grep -vE -e ': (EACCES|EPERM|EXDEV)$' -e '^(write in the store|read /proc): ' -e '^(clone3|open_tree_attr): ENOSYS$' \
    "$tmp/rest" >"$tmp/reached"
[ ! -s "$tmp/reached" ] || fail "reached: $(cat "$tmp/reached")"
expect "vhdfs $VERSION" "$(head -n 1 "$mnt/version")" "the tree after it"
case $(cat "$mnt/version") in
*"no landlock"*) skip "needs Landlock in the kernel, for the files" ;;
esac
