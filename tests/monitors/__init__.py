"""Guards and monitors: what they say, and what they leave unsaid."""
