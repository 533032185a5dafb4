"""What the seeded streams are made of: tokens, the spelling of JSON, frames, and the cut of a body into blocks."""

from __future__ import annotations

import json
import random

SEED = 20_240_229

# Each of these is 7 bytes long as JSON spells it after its blank, so that every event is 256 bytes long.
WORDS = "streams prompts answers network servers clients timeout message already between another through because"
ESCAPED = 'quote" tab\tbd lin\n\n C\\tool </div>. 3.14159 (a)(b), it—is **bold*'
CHINESE = "数据 事件 模型 代理 流 字节 超时 心跳 回答 一个 完整 修复 断开 连接 错误 重试"
MIXED = f"{CHINESE} поток событие ответ こんにちは ストリーム 안녕하세요 مرحبا תשובה 🙂 👩\u200d💻"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

DONE = b"data: [DONE]\n\n"


def tokens(count: int, vocabulary: str = f"{WORDS} {ESCAPED}", seed: int = SEED) -> list[str]:
    """Return `count` drawn tokens, each with its leading blank, as models send them."""
    words = vocabulary.split(" ")
    draw = random.Random(seed)
    return [" " + draw.choice(words) for _ in range(count)]


def spell(document: object) -> str:
    """Return JSON as most providers spell it: without blanks, and with characters as they are."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def frame(document: object, event: str = "") -> bytes:
    """Return one SSE block with the document as its data, and an `event:` line where a name is given."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {spell(document)}\n\n".encode()


def blocks(body: bytes) -> list[bytes]:
    """Return the body cut after each blank line; what follows the last one is a chunk of its own."""
    separator = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n"
    parts = body.split(separator)
    return [part + separator for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
