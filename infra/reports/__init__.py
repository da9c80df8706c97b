"""Reports of what the store holds of a deployment."""
