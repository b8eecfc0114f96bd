# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # root is set by who sources this
# Functions for scripts that make a chroot of a Debian release. Sourced; root is the source tree.

# mirror: print the address of Debian's archive: DEBIAN_MIRROR, or the one in this machine's
# sources.
mirror()
{
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "$DEBIAN_MIRROR"
        return
    fi
    # Two formats: "URIs: ADDRESS" and "deb [OPTION...] ADDRESS SUITE...".
    mirror_=$(sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' \
        -e 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
    [ -n "$mirror_" ] || {
        echo "no sources of this machine name a mirror of Debian: set DEBIAN_MIRROR" >&2
        return 1
    }
    echo "$mirror_"
}

# bootstrap RELEASE FOLDER MIRROR PACKAGES: install a minimal system with these packages, which are
# separated by commas. It gets the settings of this machine's apt, such as a proxy.
bootstrap()
{
    debootstrap --variant=minbase --include="$4" "$1" "$2" "$3" >"$2.log" 2>&1 || {
        tail -n 20 "$2.log" >&2
        return 1
    }
    cp /etc/resolv.conf "$2/etc/"
    for setting in /etc/apt/apt.conf.d/*; do
        [ -e "$2/etc/apt/apt.conf.d/${setting##*/}" ] || cp "$setting" "$2/etc/apt/apt.conf.d/"
    done
}

# mount_system FOLDER: mount /proc, /sys and /dev in that chroot. Make /etc/mtab if it is missing, as
# systemd and container engines do: without it fusermount3 of Debian 13 unmounts nothing. A link of
# systemd leads nowhere until /proc is mounted.
mount_system()
{
    [ -e "$1/etc/mtab" ] || [ -L "$1/etc/mtab" ] || ln -s ../proc/self/mounts "$1/etc/mtab"
    mount -t proc proc "$1/proc"
    for system_folder in sys dev; do
        mount --rbind "/$system_folder" "$1/$system_folder"
        mount --make-rslave "$1/$system_folder"
    done
}

# unmount_below FOLDER: unmount everything on it and below it, the last mount first.
unmount_below()
{
    awk -v folder="$1" '$5 == folder || index($5, folder "/") == 1 { print $5 }' \
        /proc/self/mountinfo | tac | while read -r point; do
        umount -l "$point"
    done
}

# remove_below FOLDER: delete it, unless a mount is left in it, such as /dev of this machine.
remove_below()
{
    unmount_below "$1"
    if awk -v folder="$1/" 'index($5, folder) == 1 { found = 1 } END { exit !found }' \
        /proc/self/mountinfo; then
        echo "$1 is left: something is mounted in it" >&2
        return 1
    fi
    rm -rf --one-file-system "$1"
}

# copy_tree FOLDER: copy the files of $root that git knows, as in a clone.
copy_tree()
{
    mkdir -p "$1"
    (cd "$root" && git ls-files -z | tar -c --null --verbatim-files-from -T -) | tar -x -C "$1"
}
