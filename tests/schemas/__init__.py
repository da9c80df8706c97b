"""What crosses Kafka and what people write."""
