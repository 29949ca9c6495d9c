"""Receivers (larmmottagare) for other makers' units: each a pure codec and its ports.

What comes is handed over as `arrived.Arrived`, and answered when that has been stored.
"""
