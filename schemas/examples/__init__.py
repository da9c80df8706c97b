"""Golden examples: records as they lie on each topic.

One folder a topic, one file a record. Producers, consumers, tables and the published specification
are all held to them, so that nobody's idea of an event drifts from the others'. A topic with
several events has files called ``<type>`` or ``<type>-<case>``. Below ``bad/`` lie records that
must be refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from schemas.topics import Topic

POOL = "small"
"""The pool whose work topic the examples are on."""


def examples(topic: Topic) -> dict[str, bytes]:
    """Return the values of good records of ``topic`` by what each shows.

    >>> from schemas.topics import REQUESTS
    >>> examples(REQUESTS)["minimal"].split()[0]
    b'{'
    """
    return dict(_read(_folder(topic)))


def bad_examples(topic: Topic) -> dict[str, bytes]:
    """Return the values of records that readers of ``topic`` must refuse, by what is wrong."""
    return dict(_read(_folder(topic) / "bad"))


def _folder(topic: Topic) -> Traversable:
    return files(__name__) / topic.name.format(pool=POOL)


def _read(folder: Traversable) -> Iterator[tuple[str, bytes]]:
    if folder.is_dir():
        for file in sorted(folder.iterdir(), key=lambda file: file.name):
            if file.is_file():
                yield file.name.partition(".")[0], file.read_bytes()
