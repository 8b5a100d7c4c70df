"""Votes of people on two lines for one pair: what to ask, the page that asks, where votes are kept and published."""
