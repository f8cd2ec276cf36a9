"""What boards say to consoles over a broker, or consoles to boards: topics, payloads, schemas."""
