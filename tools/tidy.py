#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-tidy over all sources, several of them pasted into one translation unit: most of its time
goes into the headers of the libraries, which a unit then reads once. Files that cannot share a unit
(the same name in two anonymous namespaces) are told apart by compiling, never by a list.

usage: tidy.py BUILD_FOLDER CHECKS [FILE...]
BUILD_FOLDER holds compile_commands.json; CHECKS are added to those of .clang-tidy.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

CLANG, TIDY = "clang++-19", "clang-tidy-19"
# Kernels of one instruction set are left out: there is nothing to say about intrinsics that the
# tests do not say better.
LEFT_OUT = re.compile(r"/(avx2|avx512|amx)[a-z_0-9]*\.cc$")
UNIT_LINES = 2500

root = pathlib.Path(__file__).resolve().parent.parent


def commands(build, wanted):
    """(file, flags) of every source of ours."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src/*.cc", "apps/*.cc"],
                            cwd=root, capture_output=True, text=True, check=True).stdout.split()
    ours = {str(root / name) for name in (wanted or listed) if not LEFT_OUT.search(name)}
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if entry["file"] in ours and entry["file"] not in found:
            words = shlex.split(entry["command"])[1:]
            end = words.index("-o")
            found[entry["file"]] = [word for word in words[:end] if word != "-Werror"]
    missing = sorted(ours - found.keys())
    if missing:
        sys.exit("tidy: no compile command for " + ", ".join(missing))
    return found


def units(found):
    """Groups of files of one folder with the same flags, of about UNIT_LINES lines."""
    groups = {}
    for file, flags in sorted(found.items()):
        groups.setdefault((os.path.dirname(file), tuple(flags)), []).append(file)
    for (_, flags), files in groups.items():
        unit, lines = [], 0
        for file in files:
            unit.append(file)
            lines += len(pathlib.Path(file).read_text().splitlines())
            if lines >= UNIT_LINES:
                yield unit, flags
                unit, lines = [], 0
        if unit:
            yield unit, flags


class Unit:
    """Files pasted one after the other; knows which line came from where."""

    def __init__(self, folder, files):
        self.files = files
        if len(files) == 1:
            self.path = files[0]
            return
        self.origin = []
        text = []
        for file in files:
            for number, line in enumerate(pathlib.Path(file).read_text().splitlines(), 1):
                text.append(line)
                self.origin.append((file, number))
        name = f"{pathlib.Path(files[0]).parent.name}_{pathlib.Path(files[0]).stem}_{len(files)}.cc"
        self.path = str(folder / name)
        pathlib.Path(self.path).write_text("\n".join(text) + "\n")

    def flags(self, flags):
        return [*flags, "-iquote", os.path.dirname(self.files[0]), "-w"]

    def compiles(self, flags):
        command = [CLANG, *self.flags(flags), "-fsyntax-only", self.path]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def located(self, output):
        if len(self.files) == 1:
            return output

        def original(match):
            file, number = self.origin[int(match[1]) - 1]
            return f"{file}:{number}:"

        return re.sub(re.escape(self.path) + r":(\d+):", original, output)


def check(folder, checks, files, flags):
    """What clang-tidy has to say about `files`, empty if nothing."""
    unit = Unit(folder, files)
    if len(files) > 1 and not unit.compiles(flags):
        half = len(files) // 2
        return check(folder, checks, files[:half], flags) + check(folder, checks, files[half:], flags)
    result = subprocess.run([TIDY, "--quiet", f"--config-file={root / '.clang-tidy'}",
                             f"--checks={checks}", unit.path, "--", *unit.flags(flags)], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    return unit.located(result.stdout) or result.stderr


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folder = build / "units"
    folder.mkdir(exist_ok=True)
    work = list(units(commands(build, sys.argv[3:])))
    faults = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(lambda one: check(folder, sys.argv[2], *one), work):
            if said:
                faults += 1
                print(said, flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
