"""Who calls, and what they may do: users, organisations, tokens with roles, access to gated repos."""
