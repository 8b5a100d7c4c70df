"""Clichés: their forms, the stock words that carry them, and labelled lines from which their wording is learnt."""
