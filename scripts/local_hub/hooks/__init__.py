"""Webhooks: whom to tell of what changes, and telling them until they have heard it."""
