"""aiokafka's errors in Tidegate's words: the one place that knows both trees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import errors

from schemas.errors import ConfigError, Fenced, LogUnavailable, PipelineError, PoisonError

FENCED = (
    errors.ProducerFenced,
    errors.InvalidProducerEpoch,
    errors.InvalidProducerIdMapping,
    errors.TransactionCoordinatorFenced,
)
POISON = (
    errors.RecordTooLargeError,
    errors.MessageSizeTooLargeError,
    errors.RecordListTooLargeError,
    errors.OffsetMetadataTooLargeError,
    errors.InvalidTimestampError,
)
CONFIG = (
    errors.AuthenticationFailedError,
    errors.AuthenticationMethodNotSupported,
    errors.ClusterAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.IllegalSaslStateError,
    errors.IncompatibleBrokerVersion,
    errors.InconsistentGroupProtocolError,
    errors.InvalidConfigurationError,
    errors.InvalidGroupIdError,
    errors.InvalidPartitionsError,
    errors.InvalidReplicationAssignmentError,
    errors.InvalidReplicationFactorError,
    errors.InvalidRequiredAcksError,
    errors.InvalidSessionTimeoutError,
    errors.InvalidTopicError,
    errors.InvalidTransactionTimeout,
    errors.KafkaConfigurationError,
    errors.PolicyViolationError,
    errors.SaslAuthenticationFailed,
    errors.SecurityDisabled,
    errors.TopicAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
    errors.UnrecognizedBrokerVersion,
    errors.UnsupportedCodecError,
    errors.UnsupportedForMessageFormatError,
    errors.UnsupportedSaslMechanismError,
    errors.UnsupportedVersionError,
)


def translate(error: BaseException) -> PipelineError:
    """Return what ``error`` means for the loop; what is not named here may pass by itself.

    An outcome that is unknown, a broker that is away and a protocol state that only a fresh
    connection mends are all :class:`LogUnavailable`: the partition is opened anew.
    """
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, FENCED):
        return Fenced(said)
    if isinstance(error, POISON):
        return PoisonError(said)
    if isinstance(error, CONFIG):
        return ConfigError(f"Kafka refuses: {said}", key="TIDEGATE_KAFKA")
    return LogUnavailable(said)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what aiokafka raises inside as Tidegate's own error."""
    try:
        yield
    except (
        errors.KafkaError,
        errors.ConsumerStoppedError,
        errors.IllegalOperation,
        OSError,
        TimeoutError,
    ) as error:
        raise translate(error) from error
