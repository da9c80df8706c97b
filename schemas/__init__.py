"""What crosses Kafka and what is stored."""
