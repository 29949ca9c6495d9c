"""Absences (frånvaro): hospital, a short-term home, a journey. Nothing rings and no camera opens
meanwhile, and nothing is missed; she herself may still ring in.
"""
