"""Fitting of the linear text models that ship with guards."""
