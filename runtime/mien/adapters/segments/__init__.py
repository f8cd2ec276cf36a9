"""Speaks segments, as LiveKit counts them, over the voice: for the adapters livekit, livekit_room.

segment   one segment: its audio, its words, how much was heard    (pure)
mono      int16 of any channels and rate as mono at one rate       (pure)
words     timed words, and which of them were heard                (pure)
link      a client of the voice that is kept open
leg       a segment, or the rest of one, as one turn
speaker   one segment after another: over the voice, or elsewhere while it is lost
"""
