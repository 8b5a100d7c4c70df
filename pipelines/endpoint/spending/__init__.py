"""Counts what requests cost, keeps what was paid for, and holds back what would pass a limit."""
