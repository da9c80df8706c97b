"""Sentences written to train the guard against harm on, and the training."""
