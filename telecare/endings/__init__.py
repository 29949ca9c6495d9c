"""Endings (avslut): a resident has died, moved or declined. Everything that reached her stops, the
log stays; within 30 days a colleague may undo it.
"""
