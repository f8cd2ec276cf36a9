"""What frameworks are told, held back until the speaker has played it. Free of any framework.

playhead  where a turn is, between two reports of the voice
line      what waits for a position of a turn
words     positions of words whose framework stamps them with a wall clock
speaker   one speaking session with the voice, segment by segment
"""
