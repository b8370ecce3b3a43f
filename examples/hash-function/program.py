"""A hash function for short texts: which of 4096 buckets does a word go to?"""


# EVOLVE-BLOCK-START
def mix(h: int, byte: int) -> int:
    """The state after one more byte."""
    return h + byte


# EVOLVE-BLOCK-END


def bucket(text: str) -> int:
    h = 0
    for byte in text.encode():
        h = mix(h, byte) & 0xFFFFFFFF
    return (h ^ h >> 15) % 4096


def buckets(texts: list) -> list:
    return [bucket(text) for text in texts]
