"""Trygghetslarm: what comes from buttons and devices in homes, and who sees to it."""
