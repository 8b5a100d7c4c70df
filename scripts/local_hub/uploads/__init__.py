"""Files on their way in: how each is to be sent, which stay behind, and the commit that they arrive in."""
