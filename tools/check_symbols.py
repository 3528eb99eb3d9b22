#!/usr/bin/env python3
"""Objects built for one instruction set must not lend their code to the rest of the program.

An inline function that such a file does not inline becomes a weak symbol, and the linker may keep
that copy for every caller: older processors then meet instructions they do not have.

Usage: check_symbols.py BUILD [NM]. Reads BUILD/compile_commands.json, looks at every object that
was compiled with an instruction-set flag and fails on weak symbols outside a namespace or function
that is named after an instruction set. Objects that were not built are named and left out.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

FLAG = re.compile(r"^-m(avx|fma|amx|sse[34]|ssse|bmi|f16c|arch=|cpu=)")
OWN = re.compile(r"avx2|avx512|amx")
# What the compiler itself adds for exceptions; data, not code.
HARMLESS = re.compile(r"^DW\.ref\.")
WEAK = set("VvWwu")


def flagged_objects(build):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = entry.get("arguments") or shlex.split(entry["command"])
        if not any(FLAG.match(word) for word in words):
            continue
        output = entry.get("output") or words[words.index("-o") + 1]
        yield Path(entry["directory"], output)


def weak_symbols(nm, path):
    listing = subprocess.run([nm, "--defined-only", str(path)], capture_output=True, text=True,
                             check=True).stdout
    for line in listing.splitlines():
        kind, name = line.split()[-2:]
        if kind in WEAK and not OWN.search(name) and not HARMLESS.search(name):
            yield name


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    build = Path(sys.argv[1])
    nm = sys.argv[2] if len(sys.argv) == 3 else "nm"
    checked, faults = 0, 0
    for path in flagged_objects(build):
        if not path.exists():
            print(f"{path.name}: not built, left out")
            continue
        checked += 1
        for name in weak_symbols(nm, path):
            faults += 1
            print(f"{path}: weak symbol {name}: make it local to the file (anonymous namespace)")
    print(f"{checked} objects of one instruction set, {faults} weak symbols")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
