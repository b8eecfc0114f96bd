#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""refusals.py MOUNTPOINT STORE DIRECTORY ROW...: try each row of the error table with every writer.

A row is NAME|TEXT|ERRNO|RESULT|RECORD. Writing the text to new/NAME must fail with that errno and
result. With RECORD "record", tasks/NAME must hold the refusal, with "none" it must not. Each writer
must exit with a failure, `errors` must show the refusal, and the store must not change. DIRECTORY
is for the writers' own files.
"""
import os
import shutil
import subprocess
import sys

mountpoint, store, directory = sys.argv[1:4]
SOURCE = os.path.join(directory, "source")


def shell(*words, command='printf "%s\\n" "$1" > "$2"'):
    return lambda text, path: [*words, "-c", command, "sh", text, path]


def from_file(*words, feed=False):
    """A writer that reads the text from the source file or from its standard input."""
    def argv(text, path):
        del text
        filled = [word.replace("SOURCE", SOURCE).replace("PATH", path) for word in words]
        return ["sh", "-c", 'exec "$@" < ' + SOURCE, "sh", *filled] if feed else filled
    return argv


PYTHON = "import sys\nwith open(sys.argv[2], 'w') as file: file.write(sys.argv[1])"
WRITERS = {
    "bash": shell("bash", command='echo "$1" > "$2"'),
    "dash": shell("dash", command='echo "$1" > "$2"'),
    "busybox": shell("busybox", "sh", command='echo "$1" > "$2"'),
    "zsh": shell("zsh", command='echo "$1" > "$2"'),
    "mksh": shell("mksh", command='echo "$1" > "$2"'),
    "bash printf": shell("bash", command='printf "%s" "$1" > "$2"'),
    "dash printf": shell("dash", command='printf "%s" "$1" > "$2"'),
    "busybox printf": shell("busybox", "sh", command='printf "%s" "$1" > "$2"'),
    "bash >>": shell("bash", command='echo "$1" >> "$2"'),
    "python3": lambda text, path: [sys.executable, "-I", "-S", "-c", PYTHON, text, path],
    "cp": from_file("cp", "SOURCE", "PATH"),
    "busybox cp": from_file("busybox", "cp", "SOURCE", "PATH"),
    "mv": from_file("mv", "SOURCE", "PATH"),
    "install": from_file("install", "SOURCE", "PATH"),
    "rsync --inplace": from_file("rsync", "--inplace", "SOURCE", "PATH"),
    "tee": from_file("tee", "PATH", feed=True),
    "dd": from_file("dd", "if=SOURCE", "of=PATH", "status=none"),
    "busybox dd": from_file("busybox", "dd", "if=SOURCE", "of=PATH"),
}

faults = []


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def clear_errors():
    with open(f"{mountpoint}/errors", "w", encoding="ascii") as file:
        file.write("clear")


def forget(name):
    try:
        os.rmdir(f"{mountpoint}/tasks/{name}")
    except OSError:
        pass


def judge(writer, name, text, err, result, record, argv):
    clear_errors()
    forget(name)
    with open(SOURCE, "w", encoding="utf-8") as file:
        file.write(text)
    before = sorted(os.listdir(store))
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, check=False)
    told = read(f"{mountpoint}/errors")
    path = f"{mountpoint}/tasks/{name}/result"
    recorded = read(path).split()[1] if os.path.exists(path) else "none"

    def fault(what):
        faults.append(f"{writer}, {name!r} {text!r}: {what}")

    if done.returncode == 0:
        fault("exit status 0")
    if f" {err} {result} " not in told:
        fault(f"errors has no {err} {result}: {told!r}; it said {done.stderr!r}")
    if record == "record" and recorded != result:
        fault(f"the record says {recorded}, expected {result}")
    if record == "none" and recorded == result:
        fault(f"there is a record of {result}")
    if sorted(os.listdir(store)) != before:
        fault(f"the store has changed: {sorted(os.listdir(store))}")


def main():
    writers = {name: argv for name, argv in WRITERS.items()
               if shutil.which(argv("", "")[0]) and shutil.which(name.split()[0])}
    for missing in sorted(set(WRITERS) - set(writers)):
        print(f"SKIPPED: needs {missing}")
    tried = 0
    for row in sys.argv[4:]:
        name, text, err, result, record = row.split("|")
        for writer, argv in writers.items():
            judge(writer, name, text, err, result, record, argv(text, f"{mountpoint}/new/{name}"))
            tried += 1
    print("\n".join(faults))
    print(f"{tried} refusals through {len(writers)} writers, {len(faults)} at fault")
    return 1 if faults or len(writers) < 5 else 0


sys.exit(main())
