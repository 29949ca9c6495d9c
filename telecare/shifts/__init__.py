"""A shift (pass): begun and ended by one press, and ended only when nothing is held open. What is
held goes to a colleague or a unit who has said yes (överlämning).
"""
