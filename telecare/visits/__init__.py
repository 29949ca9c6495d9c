"""Planned video visits (videobesök): the plan, the day, the outcome, and the next step when
nobody answered. A visit that was not held is never done.
"""
