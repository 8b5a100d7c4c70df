"""Who calls: the one thing about users that the rest of the Hub needs to know."""
