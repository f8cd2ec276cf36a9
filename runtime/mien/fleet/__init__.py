"""What boards and consoles say to each other over a broker: topics, payloads, schemas."""
