"""Sets of leaf numbers as sorted spans, first and last: millions of erased records are a few."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sorted, none touching the next."""
    made: list[Span] = []
    for first, last in sorted(spans):
        if made and first <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(made[-1][1], last))
        else:
            made.append((first, last))
    return made


def extended(spans: list[Span], number: int) -> None:
    """With one more, above all that are in it."""
    if spans and spans[-1][1] == number - 1:
        spans[-1] = (spans[-1][0], number)
    else:
        spans.append((number, number))


def minus(spans: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """Of merged spans, what is not in the others."""
    for begin, end in spans:
        first, at = begin, max(bisect_right(others, (begin, begin)) - 1, 0)
        while at < len(others) and others[at][0] <= end and first <= end:
            if others[at][1] >= first:
                if others[at][0] > first:
                    yield first, others[at][0] - 1
                first = others[at][1] + 1
            at += 1
        if first <= end:
            yield first, end


def common(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What is in both."""
    return list(minus(spans, list(minus(spans, others))))


def holds(spans: Sequence[Span], number: int) -> bool:
    at = bisect_right(spans, (number, 2**63)) - 1
    return at >= 0 and spans[at][0] <= number <= spans[at][1]


def one_by_one(spans: Iterable[Span]) -> Iterator[int]:
    for first, last in spans:
        yield from range(first, last + 1)


def count(spans: Iterable[Span]) -> int:
    return sum(last - first + 1 for first, last in spans)
