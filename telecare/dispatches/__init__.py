"""A person is asked to go to a home (hembesök): asked, accepted, arrived, done with an outcome."""
