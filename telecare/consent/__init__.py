"""What is allowed (samtycke): by whom, for what purpose, when, and when it was taken back. The one
gate is `telecare.consent.gate.admit`.
"""
