"""A complete offline voice agent, written as an integrator would write one.

It is a client of mien-voice (mien.client) that hears through mien-ear:

    near_sound     the customer's sound, while it is needed
    conversation   what to do next: a pure state machine, stepped with events
    agent          carries the orders out: the client, three engines in processes of their own
    hear, think, speak    the engines, one contract a folder
"""
