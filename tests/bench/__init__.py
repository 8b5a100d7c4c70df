"""Benches: how fast, lean, sturdy and trustworthy the parts are. README.md says what each measures."""

from scripts.core import env

env.opt_out()  # before anything that a bench imports: the stack reads the environment at import
