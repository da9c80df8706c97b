"""The loop, its logs and its stores."""
