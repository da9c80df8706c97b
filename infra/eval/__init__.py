"""How good guards and monitors are on a user's own data."""
