"""Speed, measured as a ratio to a reference of the same run. Makes no claim about behaviour."""
