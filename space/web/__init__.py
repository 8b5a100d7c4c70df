"""The page over HTTP: its files, the API behind its queue, the tool for agents, and what is refused."""
