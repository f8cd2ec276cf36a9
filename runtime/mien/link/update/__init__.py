"""A client of hawkBit's DDI: an update is a success only once the new slot has shown a face, heard a turn."""
