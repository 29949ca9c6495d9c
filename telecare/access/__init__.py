"""Who works here and what each may do: tenants, care units (enheter), staff, shifts (pass),
assignments, sign-in and sessions.
"""
