# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154 # tmp, mnt, here and python are mount.sh's
# The code blocks of the README; sourced after mount.sh.

readme=$here/../../README.md
[ -f "$readme" ] || skip "needs README.md"
cat >"$tmp/program" <<'END'
import re, sys

# Write each code block of the section with that title into a file.
readme, title, out = sys.argv[1:]
section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", open(readme).read(), re.M | re.S).group(1)
for i, (kind, text) in enumerate(re.findall(r"^```(\w*)\n(.*?)^```$", section, re.M | re.S)):
    open(f"{out}.{i}{'.' + kind if kind else ''}", "w").write(text)
END

# blocks TITLE NAME: write the code blocks of that section to $tmp/NAME.0, .1, ...
blocks()
{
    "$python" -I -S "$tmp/program" "$readme" "$1" "$tmp/$2" || fail "the README has no \"$1\""
}

# shown FILE [SHELL]: run its commands on our mount and print their output
shown()
{
    sed "s,/mnt/vhdfs,$mnt,g; s,/mnt/data,$tmp/data,g" "$1" >"$tmp/script"
    "${2:-sh}" -e "$tmp/script" 2>"$tmp/said"
}
