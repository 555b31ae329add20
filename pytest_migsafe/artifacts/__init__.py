"""What is kept of each judged migration for people: its schemas, the way back, what it means for others."""
