"""A client of hawkBit's DDI: updates that are a success only once a face was seen and a turn heard."""
