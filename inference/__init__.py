"""The models: engines, routing, and what ships with Tidegate."""
