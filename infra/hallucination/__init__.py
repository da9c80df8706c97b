"""Fitting of the models that judge answers by themselves."""
