"""How much of everything a run does."""

from dataclasses import dataclass


@dataclass
class Size:
    repeats: int
    seconds: int
    """Of one sample of wrk."""
    keys: int
    large_bytes: int
    folders: tuple
    """Entries of the folders that are listed; the last one is renamed too."""
    part_bytes: int
    idle: int
    connections: tuple = (1, 16, 64)
    put_connections: tuple = (16, 64)


SIZES = {
    "small": Size(2, 1, 500, 64 << 20, (1_000, 10_000), 8 << 20, 200),
    "full": Size(5, 1, 10_000, 1 << 30, (10_000, 100_000), 8 << 20, 2_000),
}


def connections_text(number):
    return f"{number} connection{'s' if number > 1 else ''}"


def count(number):
    return f"{number // 1000}k" if number >= 10_000 and number % 1000 == 0 else f"{number:,}"


def bytes_text(number):
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number} bytes"
