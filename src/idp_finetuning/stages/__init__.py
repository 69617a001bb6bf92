"""The work of each state, from typed input to typed result."""
