"""Xet, as much of it as huggingface_hub's uploads need: parts of files come in, whole files are kept.

The protocol: https://huggingface.co/docs/xet. A client cuts files into chunks, packs these into xorbs, uploads them,
and then a shard, which says of which chunks each file is made. Downloads go through `resolve`, without Xet.
"""
