"""The wiring: the one loop, the Faust agents; Kafka in, Kafka and ClickHouse out."""
