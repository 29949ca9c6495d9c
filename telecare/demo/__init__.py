"""`telecare demo`: embedded services, invented people and simulated homes, on one machine."""
