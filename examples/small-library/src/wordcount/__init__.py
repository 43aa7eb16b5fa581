"""Counts words."""

from collections import Counter


def count(text: str) -> Counter[str]:
    """How often each word occurs, whatever its case."""
    return Counter(word.strip(".,;:!?").lower() for word in text.split())
