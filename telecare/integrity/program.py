"""The program that goes with every extract: `telecare/audit/verify.py`, byte for byte."""

import hashlib
from importlib.resources import files


def source() -> str:
    return (files("telecare.audit") / "verify.py").read_text("utf-8")


def digest() -> str:
    """Its SHA-256, to be published where an extract cannot change it."""
    return hashlib.sha256(source().encode()).hexdigest()
