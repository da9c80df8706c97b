"""The loop of improvement: what people say, and the audit of what changed."""
