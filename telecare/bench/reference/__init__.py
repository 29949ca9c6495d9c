"""What the benches are compared with: bare programs, and plain ways into the same database."""
