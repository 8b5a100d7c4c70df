"""Filters: which rows are rejected, and why. A rejected row keeps the first reason found, with its evidence.

Three kinds, in this order: rules look at a row alone and need no score; the judge needs its scores; the selection needs
all rows that are still in.
"""
