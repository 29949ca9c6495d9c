"""Home units (hemenheter) and screens: pairing, enrolment, keys, presence and their events."""
