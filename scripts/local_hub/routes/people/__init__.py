"""Routes of users and organisations: who they are, what they like, what they may open, what they are told."""
