#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A checkpoint of a released model's true shape with random Gaussian weights and the bundled
model's tokenizer, to measure loading and quantizing without the real weights.

usage: make_shape_checkpoint.py tiny|small OUT
tiny takes 7 GB of disk, small 32 GB. It answers with noise.
"""

import array
import json
import pathlib
import random
import shutil
import struct
import sys
import zlib

NANO = pathlib.Path(__file__).resolve().parent.parent / "models" / "vl2-nano"
SHARD_BYTES = 4 << 30
POOL_NUMBERS = 1 << 20

COMMON = {"num_key_value_heads": 16, "n_routed_experts": 64, "n_shared_experts": 2,
          "num_experts_per_tok": 6, "first_k_dense_replace": 1}
SHAPES = {
    "tiny": {"vocab_size": 129280, "hidden_size": 1280, "intermediate_size": 6848,
             "moe_intermediate_size": 896, "num_hidden_layers": 12, "num_attention_heads": 10,
             **COMMON, "num_key_value_heads": 10, "use_mla": False, "kv_lora_rank": None,
             "qk_nope_head_dim": 0, "qk_rope_head_dim": 0, "v_head_dim": 0},
    "small": {"vocab_size": 102400, "hidden_size": 2048, "intermediate_size": 10944,
              "moe_intermediate_size": 1408, "num_hidden_layers": 27, "num_attention_heads": 16,
              **COMMON, "use_mla": True, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
              "qk_rope_head_dim": 64, "v_head_dim": 128},
}
VISION = {"patch_size": 14, "width": 1152, "layers": 27, "heads": 16, "mlp_ratio": 3.7362}


def vision_tensors(vision):
    width, inner, patch = vision["width"], int(vision["width"] * vision["mlp_ratio"]), 14
    yield "vision.patch_embed.proj.weight", [width, 3, patch, patch]
    yield "vision.patch_embed.proj.bias", [width]
    yield "vision.pos_embed", [1, (384 // patch) ** 2, width]
    for i in range(vision["layers"]):
        name = f"vision.blocks.{i}"
        for part, rows, columns in (("attn.qkv", 3 * width, width), ("attn.proj", width, width),
                                    ("mlp.fc1", inner, width), ("mlp.fc2", width, inner)):
            yield f"{name}.{part}.weight", [rows, columns]
            yield f"{name}.{part}.bias", [rows]
        for norm in ("norm1", "norm2"):
            yield f"{name}.{norm}.weight", [width]
            yield f"{name}.{norm}.bias", [width]
    yield "vision.norm.weight", [width]
    yield "vision.norm.bias", [width]


def gated(name, hidden, inner):
    yield f"{name}.gate_proj.weight", [inner, hidden]
    yield f"{name}.up_proj.weight", [inner, hidden]
    yield f"{name}.down_proj.weight", [hidden, inner]


def attention(name, c):
    hidden, heads = c["hidden_size"], c["num_attention_heads"]
    if not c["use_mla"]:
        for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
            yield f"{name}.{part}.weight", [hidden, hidden]
        return
    rank, nope, rope, value = (c[key] for key in ("kv_lora_rank", "qk_nope_head_dim",
                                                  "qk_rope_head_dim", "v_head_dim"))
    yield f"{name}.q_proj.weight", [heads * (nope + rope), hidden]
    yield f"{name}.kv_a_proj_with_mqa.weight", [rank + rope, hidden]
    yield f"{name}.kv_a_layernorm.weight", [rank]
    yield f"{name}.kv_b_proj.weight", [heads * (nope + value), rank]
    yield f"{name}.o_proj.weight", [hidden, heads * value]


def language_tensors(c):
    hidden = c["hidden_size"]
    yield "language.model.embed_tokens.weight", [c["vocab_size"], hidden]
    for i in range(c["num_hidden_layers"]):
        name = f"language.model.layers.{i}"
        yield f"{name}.input_layernorm.weight", [hidden]
        yield from attention(f"{name}.self_attn", c)
        yield f"{name}.post_attention_layernorm.weight", [hidden]
        if i < c["first_k_dense_replace"]:
            yield from gated(f"{name}.mlp", hidden, c["intermediate_size"])
            continue
        yield f"{name}.mlp.gate.weight", [c["n_routed_experts"], hidden]
        for j in range(c["n_routed_experts"]):
            yield from gated(f"{name}.mlp.experts.{j}", hidden, c["moe_intermediate_size"])
        yield from gated(f"{name}.mlp.shared_experts", hidden,
                         c["n_shared_experts"] * c["moe_intermediate_size"])
    yield "language.model.norm.weight", [hidden]
    yield "language.lm_head.weight", [c["vocab_size"], hidden]


def all_tensors(config):
    hidden, width = config["language_config"]["hidden_size"], VISION["width"]
    yield from vision_tensors(VISION)
    yield "projector.layers.0.weight", [hidden, 4 * width]
    yield "projector.layers.0.bias", [hidden]
    yield "projector.layers.2.weight", [hidden, hidden]
    yield "projector.layers.2.bias", [hidden]
    yield "image_newline", [hidden]
    yield "view_seperator", [hidden]
    yield from language_tensors(config["language_config"])


def byte_count(shape):
    count = 2
    for size in shape:
        count *= size
    return count


def make_pool():
    random.seed(1)
    numbers = array.array("f", (random.gauss(0, 0.02) for _ in range(POOL_NUMBERS))).tobytes()
    pool = bytearray(2 * POOL_NUMBERS)
    pool[0::2], pool[1::2] = numbers[2::4], numbers[3::4]
    return bytes(pool)


def write_shard(path, tensors, pool):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors:
        header[name] = {"dtype": "BF16", "shape": shape,
                        "data_offsets": [offset, offset + byte_count(shape)]}
        offset += byte_count(shape)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in tensors:
            left, start = byte_count(shape), 2 * (zlib.crc32(name.encode()) % 1000)
            while left > 0:
                piece = pool[start:start + left]
                file.write(piece)
                left, start = left - len(piece), 0


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[2])
    out.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(NANO / name, out)
    config = json.loads((NANO / "config.json").read_text())
    config["vision_config"].update(VISION)
    config["projector_config"].update(input_dim=VISION["width"],
                                      n_embed=SHAPES[sys.argv[1]]["hidden_size"])
    config["language_config"].update(SHAPES[sys.argv[1]])
    (out / "config.json").write_text(json.dumps(config, indent=2))
    processor = json.loads((NANO / "processor_config.json").read_text())
    processor["patch_size"] = VISION["patch_size"]
    (out / "processor_config.json").write_text(json.dumps(processor, indent=2))

    shards, bytes_in_shard = [[]], 0
    for name, shape in all_tensors(config):
        if bytes_in_shard + byte_count(shape) > SHARD_BYTES:
            shards.append([])
            bytes_in_shard = 0
        shards[-1].append((name, shape))
        bytes_in_shard += byte_count(shape)
    pool, weight_map = make_pool(), {}
    for i, tensors in enumerate(shards, 1):
        name = f"model-{i:05}-of-{len(shards):05}.safetensors"
        write_shard(out / name, tensors, pool)
        weight_map.update({tensor: name for tensor, _ in tensors})
    (out / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


if __name__ == "__main__":
    main()
