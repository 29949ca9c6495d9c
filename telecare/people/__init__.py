"""Residents (omsorgstagare), those who live with them (sammanboende), and follow-ups: tasks of a
unit that stay until a human closes them.
"""
