"""The error tree: the class of an error says what the loop must do about it.

```
PipelineError                 anything Tidegate raises on purpose
├── PoisonError               this record will never work  -> dead letter, commit, go on
│   ├── DecodeError           the bytes are no such event
│   ├── UnknownVersion        the event is of a version this build cannot read
│   └── PromptTooLarge        the prompt and its answer do not fit the model's context
├── TransientError            something we need is ill     -> back off, retry, commit nothing
│   ├── StoreUnavailable      ClickHouse
│   ├── LogUnavailable        Kafka
│   │   └── Fenced            another member owns the partition now -> reopen it, or let it go
│   └── EngineUnavailable     the model engine
└── ConfigError               an operator must act         -> exit 2 before consuming
```

Anything else is a bug. A bug inside a guard becomes the verdict ``not_scanned``; inside the loop it
sends the batch through record by record, and the record that fails alone becomes a dead letter.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Anything Tidegate raises on purpose.

    Args:
        message: One sentence for the person who reads the log.
        topic: Where the record stood, if the error concerns one.
        partition: Its partition.
        offset: Its offset.
    """

    def __init__(
        self,
        message: str,
        *,
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(message)
        self.topic = topic
        self.partition = partition
        self.offset = offset

    def __str__(self) -> str:
        text = str(self.args[0])
        if self.topic is None:
            return text
        return f"{text} (at {self.topic}/{self.partition}/{self.offset})"


class PoisonError(PipelineError):
    """A record that will never work, however often it is tried."""


class DecodeError(PoisonError):
    """The bytes are not the event their topic promises."""


class UnknownVersion(PoisonError):
    """The event's ``schema_version`` is newer than this build."""


class PromptTooLarge(PoisonError):
    """The prompt and the answer asked for do not fit the model's context."""


class TransientError(PipelineError):
    """Something we depend on is ill; the same call may work later."""


class StoreUnavailable(TransientError):
    """ClickHouse does not answer, or refuses for a passing reason."""


class LogUnavailable(TransientError):
    """Kafka does not answer, or the outcome of a commit is unknown."""


class Fenced(LogUnavailable):
    """Another member has taken the partition over; nothing of ours was committed."""


class EngineUnavailable(TransientError):
    """The model engine is not there, or died."""


class ConfigError(PipelineError):
    """A setting, a registry file or the machine is wrong and an operator must act.

    Args:
        message: What is wrong, and what would be right.
        file: The file it stands in, if any.
        line: The line in that file, from 1.
        key: The dotted key or the environment variable.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.key = key

    def __str__(self) -> str:
        where = self.file or ""
        if self.file and self.line is not None:
            where += f":{self.line}"
        parts = [part for part in (where, self.key) if part]
        return ": ".join([*parts, str(self.args[0])])
