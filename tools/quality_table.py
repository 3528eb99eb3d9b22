#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what every weight format costs on the bundled model and writes the table of
docs/quality.md anew.

usage: quality_table.py [VL2]     VL2 is the program, build/vl2 if not given
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "quality.md"
MODEL = ROOT / "models" / "vl2-nano"
EVAL = MODEL / "eval" / "eval.jsonl"
DEMO = MODEL / "demo" / "demo.jsonl"
ROWS = [("f32", "bf16"), ("bf16", "bf16"), ("bf16", "int8"), ("int8", "bf16"), ("int4", "bf16"),
        ("int4", "int8"), ("int4-max", "bf16")]


def vl2(program, *arguments):
    done = subprocess.run([program, *map(str, arguments), "-m", str(MODEL), "--json"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return json.loads(done.stdout)


def row(program, weights, vision):
    extra = ["--vision", vision] if vision != "bf16" else []
    graded = vl2(program, "eval", "--weights", weights, *extra, EVAL, DEMO)
    # The exactness of demo says nothing: its questions were chosen to be answered right.
    answers = [a for a in graded["answers"] if "eval.jsonl" in a["case"]]
    ious = [a["iou"] for a in answers if "iou" in a]
    recorded = graded["all"]
    found = vl2(program, "compare", "bf16", weights, *extra, EVAL, DEMO)["all"]
    name = f"`{weights}`" + (" `--vision int8`" if vision == "int8" else "")
    cells = [name,
             f"{sum(a['exact'] for a in answers)} of {len(answers)}",
             f"{sum(ious) / len(ious):.3f}",
             f"{recorded['as_recorded']} of {recorded['recorded']}",
             f"{100 * found['top1_agreement']:.2f} %",
             f"{found['kl_mean']:.2g}", f"{found['kl_99']:.2g}", f"{found['kl_largest']:.2g}"]
    return "| " + " | ".join(cells) + " |", found["tokens"]


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build" / "vl2")
    machine = vl2(program, "info")["machine"]
    lines = ["| weights | exact | mean IoU | as fp32 answers | same token as bf16 | KL mean | 99 % | "
             "largest |", "|---|---|---|---|---|---|---|---|"]
    for weights, vision in ROWS:
        line, tokens = row(program, weights, vision)
        lines.append(line)
    lines += ["", f"{tokens} tokens, {machine['chosen']} kernels on {machine['cpu']}."]
    text = PAGE.read_text()
    table = "\n".join(lines)
    new, count = re.subn(r"(<!-- table -->\n).*?(<!-- end of table -->)",
                         lambda match: match[1] + table + "\n" + match[2], text, flags=re.S)
    if count != 1:
        sys.exit(f"{PAGE}: the marks of the table are missing")
    PAGE.write_text(new)
    print(table)


if __name__ == "__main__":
    main()
