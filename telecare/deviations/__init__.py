"""Avvikelser: what did not go as it must, for the head of the unit."""
