"""Every error aiokafka knows has a meaning for the loop."""

from __future__ import annotations

import inspect

import pytest
from aiokafka import errors

from schemas.errors import ConfigError, Fenced, LogUnavailable, PoisonError
from streams.kafka_errors import CONFIG, FENCED, POISON, translate, translated

ALL = [
    member
    for _, member in sorted(vars(errors).items())
    if inspect.isclass(member) and issubclass(member, errors.KafkaError)
]
PASSING = {
    name
    for name, member in vars(errors).items()
    if member in ALL and member not in (*FENCED, *POISON, *CONFIG)
}
KNOWN_PASSING = {
    "BrokerNotAvailableError",
    "BrokerResponseError",
    "Cancelled",
    "CommitFailedError",
    "ConcurrentTransactions",
    "CoordinatorLoadInProgressError",
    "CoordinatorNotAvailableError",
    "CorrelationIdError",
    "CorruptRecordException",
    "DelegationTokenAuthDisabled",
    "DelegationTokenAuthorizationFailed",
    "DelegationTokenExpired",
    "DelegationTokenNotFound",
    "DelegationTokenOwnerMismatch",
    "DelegationTokenRequestNotAllowed",
    "DuplicateSequenceNumber",
    "FetchSessionIdNotFound",
    "GroupCoordinatorNotAvailableError",
    "GroupIdNotFound",
    "GroupLoadInProgressError",
    "IllegalArgumentError",
    "IllegalGenerationError",
    "IllegalStateError",
    "InvalidCommitOffsetSizeError",
    "InvalidFetchRequestError",
    "InvalidFetchSessionEpoch",
    "InvalidMessageError",
    "InvalidPrincipalType",
    "InvalidRequestError",
    "InvalidTxnState",
    "KafkaConnectionError",
    "KafkaError",
    "KafkaProtocolError",
    "KafkaStorageError",
    "KafkaTimeoutError",
    "KafkaUnavailableError",
    "LeaderNotAvailableError",
    "ListenerNotFound",
    "LogDirNotFound",
    "MemberIdRequired",
    "MetadataEmptyBrokerList",
    "NoBrokersAvailable",
    "NoError",
    "NoOffsetForPartitionError",
    "NodeNotReadyError",
    "NonEmptyGroup",
    "NotControllerError",
    "NotCoordinatorError",
    "NotCoordinatorForGroupError",
    "NotEnoughReplicasAfterAppendError",
    "NotEnoughReplicasError",
    "NotLeaderForPartitionError",
    "OffsetOutOfRangeError",
    "OperationNotAttempted",
    "OutOfOrderSequenceNumber",
    "ProducerClosed",
    "QuotaViolationError",
    "ReassignmentInProgress",
    "RebalanceInProgressError",
    "ReplicaNotAvailableError",
    "RequestTimedOutError",
    "StaleControllerEpochError",
    "StaleLeaderEpochCodeError",
    "StaleMetadata",
    "TooManyInFlightRequests",
    "TopicAlreadyExistsError",
    "UnknownError",
    "UnknownMemberIdError",
    "UnknownProducerId",
    "UnknownTopicOrPartitionError",
}


def test_every_error_was_thought_about() -> None:
    """An error that a newer aiokafka adds fails here until somebody says what it means."""
    assert PASSING == KNOWN_PASSING


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (errors.ProducerFenced(), Fenced),
        (errors.InvalidProducerEpoch(), Fenced),
        (errors.MessageSizeTooLargeError(), PoisonError),
        (errors.TopicAuthorizationFailedError(), ConfigError),
        (errors.KafkaConnectionError(), LogUnavailable),
        (errors.UnknownMemberIdError(), LogUnavailable),
        (TimeoutError(), LogUnavailable),
        (ConnectionResetError(), LogUnavailable),
    ],
)
def test_error_means(error: Exception, meaning: type[Exception]) -> None:
    """Being shut out, poison, a refusal and an absence are told apart."""
    assert type(translate(error)) is meaning


def test_translation_keeps_the_cause() -> None:
    """The library's own error stays readable behind ours."""
    cause = errors.KafkaConnectionError("away")

    def fails() -> None:
        with translated():
            raise cause

    with pytest.raises(LogUnavailable, match="away") as caught:
        fails()
    assert caught.value.__cause__ is cause


def test_bugs_are_not_translated() -> None:
    """What is no error of the log stays what it is."""

    def fails() -> None:
        with translated():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
