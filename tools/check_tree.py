#!/usr/bin/env python3
"""Keeps the house in order: who may include whom, who may know what, how long a file may get.

Usage: check_tree.py [ROOT]. Prints every fault as file:line: message; exits with 1 if there is one.
"""

import re
import subprocess
import sys
from pathlib import Path

FLOORS = {
    "base": 1, "tensor": 2, "kernels": 3, "checkpoint": 4, "text": 4, "image": 4,
    "model": 5, "engine": 6, "server": 7,
}
# Floors of one height that may use each other all the same.
SIDEWAYS = set()

# What only some places may include or say.
KNOWS = [
    (re.compile(r'#include\s*[<"](immintrin|hwy/)'), ("src/kernels/", "src/base/cpu"), "intrinsics"),
    (re.compile(r"\b(avx2|avx512\w*|amx)\b", re.I), ("src/kernels/", "src/base/cpu"),
     "an instruction set"),
    (re.compile(r"#include\s*<nlohmann/"), ("src/checkpoint/", "src/text/", "src/server/"), "JSON"),
    (re.compile(r"#include\s*<httplib"), ("src/server/",), "HTTP"),
    (re.compile(r"#include\s*<(jpeglib|png|webp/|gif_lib)"), ("src/image/decode_",), "picture codecs"),
    (re.compile(r"#include\s*<omp\.h>|#pragma omp"), ("src/base/parallel.h",), "OpenMP"),
    (re.compile(r"^\s*#\s*if(?!ndef VL2)"), ("src/base/", "src/kernels/"), "#if"),
    (re.compile(r"\bstd::(cout|cerr|exit|abort)\b|\bprintf\s*\(|\bfprintf\s*\("),
     ("src/base/check.cc",), "printing or exiting"),
]
LIMITS = {".cc": 600, ".h": 300}
TEST_LIMIT = 800

INCLUDE = re.compile(r'#include\s*"([a-z]+)/')
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
# Statements and control flow behind a comment sign; prose that ends in a semicolon is fine.
DEAD_CODE = re.compile(r"^\s*//\s*(([\w:<>]+\s+)?[\w.\->\[\]]+\s*=[^=].*;|(\w+(\.|->|::))*\w+\(.*\);"
                       r"|(if|for|while)\s*\(.*|return\b.*;|#include.*)\s*$")
CATCH_ALL = re.compile(r"catch\s*\(\s*\.\.\.\s*\)")


def tracked(root):
    out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                         capture_output=True, text=True, check=True).stdout
    return [root / name for name in out.splitlines()
            if name.endswith((".cc", ".h")) and (root / name).exists()]


def floor_of(relative):
    parts = relative.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def faults_of_line(relative, floor, line):
    include = INCLUDE.search(line)
    if include and floor:
        other = include.group(1)
        if other in FLOORS and other != floor and FLOORS[other] >= FLOORS[floor] \
                and (floor, other) not in SIDEWAYS:
            yield f"{floor} (floor {FLOORS[floor]}) includes {other} (floor {FLOORS[other]})"
    code = line.split("//")[0] if not line.lstrip().startswith("#") else line
    if relative.startswith("src/"):
        for pattern, places, what in KNOWS:
            if pattern.search(code) and not relative.startswith(places):
                yield f"{what} outside {', '.join(places)}"
    if TODO.search(line):
        yield "a TODO without an issue number"
    if CATCH_ALL.search(code):
        yield "catch (...) hides what went wrong"
    if DEAD_CODE.search(line) and not line.lstrip().startswith("//   "):
        yield "commented-out code"


def faults_of(root, path):
    relative = path.relative_to(root).as_posix()
    lines = path.read_text().splitlines()
    limit = TEST_LIMIT if relative.startswith("tests/") else LIMITS[path.suffix]
    if len(lines) > limit and not relative.endswith("_tables.cc"):
        yield 1, f"{len(lines)} lines, more than {limit}"
    if not lines or "SPDX-License-Identifier" not in lines[0]:
        yield 1, "no SPDX line at the top"
    floor = floor_of(relative)
    for number, line in enumerate(lines, 1):
        for fault in faults_of_line(relative, floor, line):
            yield number, fault


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    count = 0
    for path in tracked(root):
        for number, fault in faults_of(root, path):
            print(f"{path.relative_to(root)}:{number}: {fault}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
