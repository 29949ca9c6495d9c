"""What proves the log (integritet): its tree and checkpoints, and what lawyers do with it."""
