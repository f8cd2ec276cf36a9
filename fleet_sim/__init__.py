"""Boards on a real broker: what a fleet costs, whether anything is lost, how a kiosk is taken over.

mosquitto   a real broker on this machine    site     a fleet's folder with a broker, for a run or a test
life        a busy hour at a kiosk, by seed  voice    a simulated voice that lives it
linked      a board with the real mien-link  plain    a board that says what mien-link says, without a voice
boards      many boards in one process       probe    what an operator sees: loss, delays, answers
takeover    an agent at one of them          kiosk     a real one: `mien run` and `mien link`
demo        `make fleet-demo`                receptionist, screencast  what speaks and films there
__main__    `make fleet`: runs, measures, prints a table, exits with 1 where a bar fails
"""
