"""A Hub on the loopback interface, for tests: real HTTP, to which unmodified clients speak.

It knows models only, and no Xet: the tests turn the clients' Xet path off. What it answers is what the public Hub
answers, as far as the clients read it.
"""
