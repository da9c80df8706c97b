"""From findings to alerts: rules, life cycle and cause."""
