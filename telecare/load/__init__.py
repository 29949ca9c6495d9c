"""Simulated homes in great number against a running server: light ones, that store nothing."""
