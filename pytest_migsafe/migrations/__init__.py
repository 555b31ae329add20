"""Migration files as text: which there are, in which order, and the statements in them.

This room knows text and order; it never connects to anything.
"""
