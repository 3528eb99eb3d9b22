#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the table of docs/performance.md: speeds next to the limits measured around each sample.

    python3 bench/roofline.py build/vl2                     Tiny's shape, all formats
    python3 bench/roofline.py build/vl2 --realtime          the same, undisturbed by other programs
    python3 bench/roofline.py build/vl2 --isa avx2 --shape small --weights int4
"""

import argparse
import json
import os
import subprocess

PARTS = ("vision", "prompt", "decode", "streams")


def bench(options, weights, vision, parts):
    command = [options.program, "bench", "--json", "--shape", options.shape,
               "--weights", weights, "--vision", vision, "--repeat", str(options.repeat)]
    if options.realtime:
        command.append("--realtime")
    if options.threads:
        command += ["--threads", str(options.threads)]
    for part in parts:
        command += ["--only", part]
    environment = dict(os.environ)
    if options.isa:
        environment["VL2_ISA"] = options.isa
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                     env=environment).stdout)


def figures(name, part):
    if name == "vision":
        return f"{part['seconds_per_tile']:.3f} s a tile", arithmetic(part)
    if name == "prompt":
        return f"{part['tokens_per_second']:.0f} tokens/s", arithmetic(part)
    if name == "decode":
        reads = (f"{part['bytes_per_second'] / 1e9:.1f} of {part['read_bytes_per_second'] / 1e9:.1f}"
                 f" GB/s, {100 * part['share_of_bandwidth']:.0f} %")
        return f"{part['tokens_per_second']:.1f} tokens/s", reads
    return (f"{part['tokens_per_second']:.1f} tokens/s",
            f"{part['times_one_stream']:.2f} times one stream")


def arithmetic(part):
    return (f"{part['flops_per_second'] / 1e12:.3f} of {part['peak_flops_per_second'] / 1e12:.3f}"
            f" TFLOP/s, {100 * part['share_of_peak']:.0f} %")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="build/vl2")
    parser.add_argument("--shape", default="tiny", choices=("tiny", "small", "full"))
    parser.add_argument("--weights", action="append", help="repeat for more; default: all")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--isa", default="", help="VL2_ISA")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--realtime", action="store_true")
    options = parser.parse_args()

    rows = []
    machine = None
    for weights in options.weights or ("bf16", "int8", "int4"):
        parts = [part for part in options.parts if part != "vision" or weights == "bf16"]
        if not parts:
            continue
        report = bench(options, weights, "bf16", parts)
        machine = report["machine"]
        rows += [(part, weights, *figures(part, report[part])) for part in parts]
    if "vision" in options.parts:
        report = bench(options, "bf16", "int8", ["vision"])
        rows.append(("vision", "int8 and int8 activations", *figures("vision", report["vision"])))

    if machine:
        print(f"{machine['cpu']}, {machine['instruction_set']}, {machine['threads']} threads, "
              f"shape {options.shape}, medians of {options.repeat}\n")
    print("| part | weights | speed | of the limit |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
