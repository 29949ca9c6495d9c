"""Nattfrid: agreements on night checks, the checks that follow from them, and looks by camera."""
